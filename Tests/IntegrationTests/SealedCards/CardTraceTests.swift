import AMQP
import Core
import Glibc
import TestSupport
import Testing

extension FaultLane {
    /// docs/security.md#where-card-data-is. The servers are of the test alone, so that their files hold nothing else.
    @Suite("Traces of sealed cards", .timeLimit(.minutes(15)))
    struct CardTraceTests {
        @Test(
            """
            after 500 sealed authorizes, declined, deferred, dead-lettered, replayed and killed in between, no number and no CVV \
            is in the files of broker and database, in the logs, or in the memory of the processor
            """
        )
        func noTrace() async throws {
            let file = try CardKeyFile()
            defer { file.remove() }
            try await PrivateServices.run { services in
                let processor = World.shortLease.merging(
                    ["CARDS_KEY_FILES": file.path, "CARDS_ACCEPT_PLAIN": "false", "LOG_LEVEL": "trace"]
                ) { $1 }
                let settings = World.Settings(servers: services.servers, processor: processor, deadLetters: nil)
                try await World.run(settings) { world in
                    let bank = try await TLSBank(before: world.bank)
                    do {
                        try await Self.pay(in: world, services, bank, with: file.key)
                    } catch {
                        await bank.stop()
                        throw error
                    }
                    await bank.stop()
                }
            }
        }

        private static func pay(
            in world: World,
            _ services: PrivateServices,
            _ bank: TLSBank,
            with key: CardKey
        ) async throws {
            let dumps = try ScratchDirectory()
            defer { dumps.remove() }
            let first = try await world.startProcessor(nil, bank.environment)
            let cards = try await distinctCards(36, notIn: try await dump(first, into: dumps))

            let authorizes = try (0..<500).map { index in
                // Every tenth is approved: the bank knows two cards that can be.
                let card = index % 10 == 0 ? TestCard.ample : index % 10 == 5 ? .limited : cards[index % cards.count]
                return try TestCommand.authorize(sealedFor: key, amount: 10_000 + index, card: card)
            }
            for fault in ["drop-after", "error-500", "garbage"] {
                try await world.bank.fault(fault, on: .authorize, count: 5)
            }
            try await world.send(Array(authorizes[..<200]))
            try await eventually("some were answered") { world.upstream.replyCount > 50 }
            try await first.child.crash()
            let second = try await world.startProcessor(nil, bank.environment)
            for command in authorizes[200..<210] {
                try await world.upstream.publish(
                    command.unroutedForLong(replyTo: world.upstream.replyQueue),
                    to: world.names.unrouted
                )
            }
            // Again under their keys, for other payments, and not to be opened.
            try await world.send(authorizes[..<20].map(\.duplicate))
            var foreign = TestCommand.authorize()
            foreign.body = authorizes[0].body
            var broken = try TestCommand.authorize(sealedFor: key, card: cards[0])
            broken.body = broken.body.replacing(#""}"#, with: #"AAAA"}"#)
            try await world.send([foreign, broken])
            try await world.send(Array(authorizes[210...]))
            try await world.keptDeadLetters(10)
            let replayed = try await world.deadLetters("replay", "--all", "--limit", "8", "--confirm", "8")
            #expect(replayed.exit == .status(0), "\(replayed.errors)")
            let answered = authorizes[..<200] + authorizes[210...] + [foreign, broken]
            _ = try await world.upstream.finalReplies(to: Array(answered))
            try await eventually("the replayed ones were answered") {
                authorizes[200..<210].count { command in
                    world.upstream.replies(to: command.correlation).contains(where: \.isFinal)
                } == 8
            }
            try await queuesAreEmpty(in: world)

            let used = cards + [.ample, .limited]
            let memory = try await dump(second, into: dumps)
            let logs = world.allProcessors.map(\.child.directory.path)
            try await expectNothing(of: cards, words: true, in: [memory])
            try await expectNothing(of: used, words: false, in: [memory, services.directory] + logs)
            let place = "\(services.directory)/postgres/place"
            try await expectNothing(of: used, words: false, in: [Self.target(of: place)])
        }

        private static func queuesAreEmpty(in world: World) async throws {
            let topology = Topology(names: world.names, partitions: world.settings.partitions)
            for queue in topology.queues where queue.name != world.names.repliesQueue {
                try await eventually("\(queue.name) was empty") { try await world.waiting(in: queue.name) == 0 }
            }
            try await eventually("no operation was open") { try await world.openOperations() == 0 }
        }

        // MARK: Cards

        /// With CVVs that the processor's memory does not hold already, so that they may be searched as words.
        private static func distinctCards(_ count: Int, notIn dump: String) async throws -> [TestCard] {
            for _ in 0..<10 {
                let cvvs = Array(Set((0..<6).map { _ in "\(Int.random(in: 2_100...9_899))" }))
                let cards = (0..<count).map { index in
                    let length = [16, 15, 16, 13, 19, 16][index % 6]
                    let digits = (1..<length).map { _ in "\(Int.random(in: 0...9))" }.joined()
                    let cvv = cvvs[index % cvvs.count]
                    return TestCard(number: "4\(digits)", cvv: cvv, expiryMonth: 12, expiryYear: 2030)
                }
                if try await search(for: cards, words: true, in: [dump]).exit == .status(0) { return cards }
            }
            throw ChildError("every CVV that was tried was in the memory of the processor before it was used")
        }

        private static func expectNothing(of cards: [TestCard], words: Bool, in places: [String]) async throws {
            let found = try await search(for: cards, words: words, in: places)
            #expect(found.exit == .status(0), "\(found.output)")
        }

        private static func search(
            for cards: [TestCard],
            words: Bool,
            in places: [String]
        ) async throws -> (exit: Child.Exit, output: String) {
            let lists = try ScratchDirectory()
            defer { lists.remove() }
            try ScratchDirectory.write(
                cards.map { "\($0.number) \($0.cvv)\n" }.joined(),
                to: lists.file("cards")
            )
            let script = "\(PrivateServices.root)/scripts/find-card-data"
            let child = try Child(script, (words ? ["--words"] : []) + [lists.file("cards")] + places)
            defer { child.directory.remove() }
            let exit = try await child.end(within: .seconds(300))
            guard exit == .status(0) || exit == .status(1), !child.standardOutput.isEmpty else {
                throw ChildError(child.lastWords)
            }
            return (exit, child.standardOutput)
        }

        // MARK: Places

        /// A core dump.
        private static func dump(_ processor: ProcessorProcess, into directory: ScratchDirectory) async throws -> String
        {
            let id = processor.child.processID
            let gcore = try Child("/usr/bin/env", ["gcore", "-o", directory.file("core"), "\(id)"])
            defer { gcore.directory.remove() }
            let path = directory.file("core.\(id)")
            guard try await gcore.end(within: .seconds(300)) == .status(0), access(path, R_OK) == 0 else {
                throw ChildError("no core dump (scripts/bootstrap --lint installs gdb)\n\(gcore.lastWords)")
            }
            return path
        }

        private static func target(of link: String) -> String {
            var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
            guard realpath(link, &buffer) != nil else { return link }
            return String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        }
    }
}

import AMQP
import BrokerMapping
import Core
import Glibc
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    @Suite("Dead letters", .timeLimit(.minutes(15)))
    struct DeadLetterTests {
        /// A message that nobody can be answered for.
        private static func unanswerable(_ command: TestCommand) -> AMQPMessage {
            var message = command.message(replyTo: nil)
            message.properties.type = nil
            return message
        }

        @Test(
            "of 1,000 unanswerable messages among 1,000 good ones, all good ones are answered and all others kept, once"
        )
        func thousand() async throws {
            try await World.run(World.Settings(deadLetters: 1_000)) { world in
                try await world.startProcessor()
                let good = (0..<1_000).map { _ in TestCommand.authorize() }
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for command in good {
                        let message = Self.unanswerable(.authorize())
                        let exchange = world.names.commandsExchange
                        group.addTask { try await world.upstream.publish(message, to: exchange) }
                        group.addTask { try await world.send(command) }
                    }
                    try await group.waitForAll()
                }
                let replies = try await world.upstream.finalReplies(to: good)
                #expect(replies.allSatisfy { $0.result == "succeeded" })
                let deadLetters = try await world.keptDeadLetters(1_000)
                #expect(Set(deadLetters.map { $0["message_id"]?.string }).count == 1_000)
                // Nothing goes round and round.
                for partition in 0..<world.settings.partitions {
                    let queue = world.names.commandsQueue(partition)
                    #expect(try await world.waiting(in: queue) == 0)
                }
                let stats = try await world.deadLettersJSON("stats")
                #expect(
                    stats
                        == .object(["by_code": .object(["invalid_command": .integer(1_000)]), "open": .integer(1_000)])
                )
            }
        }

        @Test(
            "a replay of 500 survives its caller and its processor, and replays each once; once more, and nothing happens"
        )
        func killedReplay() async throws {
            try await World.run { world in
                let first = try await world.startProcessor()
                let payments = try await world.manyAuthorized(500)
                // Taken by nobody, and so given to the processor as the broker gives it what no command queue takes.
                let captures = payments.map { TestCommand.capture($0) }
                for capture in captures { try await world.giveUpUnrouted(capture) }
                try await world.keptDeadLetters(500)
                let arguments = ["dead-letters", "replay", "--code", "unrouted", "--confirm", "500", "--rate", "100"]
                let caller = try Child(TestPrograms.processor(), arguments, environment: world.environment())
                try await eventually("some were replayed", context: { caller.lastWords }) {
                    try await world.replayed() > 50
                }
                #expect(caller.standardError.contains("runs in the background of a processor"))
                try await caller.crash()
                try await eventually("it went on without its caller") { try await world.replayed() > 150 }
                try await first.child.crash()
                let processor = try await world.startProcessor()
                var listed: JSONValue?
                try await eventually("another finished it", within: .seconds(120), context: { "\(listed as Any)" }) {
                    listed = try await world.deadLettersJSON("replays", "list")["replays"]?.elements.first
                    return listed?["state"]?.string == "finished"
                }
                #expect(listed?["replayed"]?.integer == 500 && listed?["failed"]?.integer == 0, "\(listed as Any)")
                #expect(try await world.replayed() == 500)
                let ends = "SELECT count(*) FROM dead_letter_audit WHERE result = 'replayed'"
                #expect(try await world.database.number(ends) == 500)
                let replies = try await world.upstream.finalReplies(to: captures)
                #expect(replies.allSatisfy { $0.result == "succeeded" })
                #expect(try await world.bank.ledger().count { $0.operation == "capture" } == 500)

                let again = try await world.deadLettersJSON("replay", "--state", "replayed", "--confirm", "500")
                #expect(again["skipped"]?.integer == 500 && again["replayed"]?.integer == 0)
                let web = try await processor.admin()
                try await eventually("the gauge shows it") {
                    try await web.text("/metrics").contains("\npayments_dead_letters_open 0\n")
                }
                await web.shutdown()
            }
        }

        @Test("of two operators who replay the same 200 at once, each message is sent once")
        func together() async throws {
            try await World.run(World.Settings(deadLetters: 200)) { world in
                let processor = try await world.startProcessor()
                for _ in 0..<200 {
                    let message = Self.unanswerable(.void(Random.id))
                    try await world.upstream.publish(message, to: world.names.commandsExchange)
                }
                let deadLetters = try await world.keptDeadLetters(200)
                // From here on nobody takes what is published.
                #expect(try await processor.terminate() == .status(0))
                let ids = deadLetters.compactMap { $0["id"]?.string }
                let replay = ["dead-letters", "replay", "--confirm", "200", "--json"] + ids
                async let ada = world.command(replay)
                async let bob = world.command(replay)
                var replayed: Int64 = 0
                for result in [try await ada, try await bob] {
                    #expect(result.exit == .status(0), "\(result.errors)")
                    let report = try JSONParser.parse(Array(result.output.utf8))
                    #expect(report["failed"]?.integer == 0 && report["selected"]?.integer == 200)
                    replayed += report["replayed"]?.integer ?? 0
                }
                #expect(replayed == 200)
                #expect(try await world.replayed() == 200)
                var queued = 0
                for partition in 0..<world.settings.partitions {
                    let queue = world.names.commandsQueue(partition)
                    queued += try await world.waiting(in: queue)
                }
                #expect(queued == 200)
                // Each fails again, as a new dead letter.
                try await world.startProcessor()
                try await world.keptDeadLetters(400)
            }
        }

        @Test("a replay over HTTP is 202 with a link, is watched there, and stopped")
        func overHTTP() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                let captures = try await world.manyAuthorized(20).map { TestCommand.capture($0) }
                for capture in captures { try await world.giveUpUnrouted(capture) }
                try await world.keptDeadLetters(20)
                let web = try await processor.admin()
                let header = HTTPHeader("X-Operator", "ada")
                let order = #"{"filter":{"code":"unrouted"},"confirm":20,"rate":1}"#
                let answer = try await web.send(.post, "/dead-letters/replay", headers: [header], body: order)
                #expect(answer.status == 202)
                let link = try #require(answer.headers["location"])
                #expect(try await web.json("/dead-letters/replays")["replays"]?.elements.count == 1)
                try await eventually("some were replayed") {
                    (try await web.json(link)["replayed"]?.integer ?? 0) >= 2
                }
                #expect(try await web.send(.post, "\(link)/stop", headers: [header]).status == 202)
                try await eventually("it was stopped") { try await web.json(link)["state"]?.string == "stopped" }
                let shown = try await web.json(link)
                #expect(shown["stopped_by"]?.string == "ada" && shown["requested_by"]?.string == "ada")
                let done = try await world.replayed()
                #expect(shown["replayed"]?.integer == Int64(done) && done < 20)
                let id = try #require(shown["id"]?.string)
                #expect(try await world.deadLettersJSON("replays", "show", id) == shown)
                // What is left is open, and another one goes on with it.
                let rest = try await world.deadLettersJSON("replay", "--all", "--confirm", "\(20 - done)")
                #expect(rest["replayed"]?.integer == Int64(20 - done))
                #expect(try await world.upstream.finalReplies(to: captures).allSatisfy { $0.result == "succeeded" })
                await web.shutdown()
            }
        }

        @Test("processors that are killed while they move dead letters lose none and double none")
        func killedIngester() async throws {
            try await World.run(World.Settings(deadLetters: 600)) { world in
                let first = try await world.startProcessor()
                try await world.startProcessor()
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<600 {
                        let message = Self.unanswerable(.authorize())
                        let exchange = world.names.commandsExchange
                        group.addTask { try await world.upstream.publish(message, to: exchange) }
                    }
                    try await eventually("some were kept") {
                        try await world.database.number("SELECT count(*) FROM dead_letters") > 50
                    }
                    try await first.child.crash()
                    try await group.waitForAll()
                }
                let deadLetters = try await world.keptDeadLetters(600)
                #expect(Set(deadLetters.map { $0["message_id"]?.string }).count == 600)
            }
        }

        @Test("an unanswerable one that is replayed fails again, as a new dead letter that is linked to the old one")
        func failsAgain() async throws {
            try await World.run(World.Settings(deadLetters: 1)) { world in
                try await world.startProcessor()
                let message = Self.unanswerable(.capture(Random.id))
                try await world.upstream.publish(message, to: world.names.commandsExchange)
                let id = try #require(try await world.keptDeadLetters(1).first?["id"]?.string)
                let report = try await world.deadLettersJSON("replay", id, "--confirm", "1")
                #expect(report["replayed"]?.integer == 1)
                let deadLetters = try await world.keptDeadLetters(2)
                let newer = try #require(deadLetters.first { $0["id"]?.string != id })
                #expect(newer["replay_of"]?.string == id)
                #expect(newer["message_id"]?.string == message.properties.messageID)
            }
        }

        @Test(
            "a capture that waits for manual review is replayed under its key and succeeds; an authorize says why it is not"
        )
        func needsAttention() async throws {
            try await World.run(World.Settings(deadLetters: 1)) { world in
                try await world.startProcessor()
                let payment = try await world.authorized()
                let capture = TestCommand.capture(payment)
                let authorize = TestCommand.authorize()
                try await world.prepareAttention(capture, authorize)
                let deadLetters = try await world.keptDeadLetters(2)
                #expect(deadLetters.allSatisfy { $0["code"]?.string == "unrouted" })
                #expect(try await world.database.number(Self.waiting) == 1)

                let dry = try await world.deadLetters("replay", "--all", "--dry-run", "--json")
                #expect(dry.output.contains(#""replayed":1,"selected":2,"skipped":1}"#), "\(dry.output)")
                #expect(dry.errors.contains("cannot be replayed: its card was reduced to BIN and last four"))
                let result = try await world.deadLetters("replay", "--all", "--confirm", "2", "--json")
                #expect(result.exit == .status(1))
                #expect(result.errors.contains("cannot be replayed: its card was reduced to BIN and last four"))
                #expect(
                    result.output == "{\"dry_run\":false,\"failed\":0,\"replayed\":1,\"selected\":2,\"skipped\":1}\n"
                )
                let reply = try await world.upstream.finalReply(to: capture)
                #expect(reply.result == "succeeded" && reply.paymentStatus == "CAPTURED")
                #expect(try await world.bank.ledger().count { $0.operation == "capture" } == 1)
            }
        }

        private static let waiting = "SELECT count(*) FROM operations WHERE state = 'NEEDS_ATTENTION'"

        @Test("what is neither confirmed nor agreed to is not done")
        func confirmation() async throws {
            try await World.run(World.Settings(deadLetters: 2)) { world in
                try await world.startProcessor()
                for _ in 0..<2 {
                    try await world.upstream.publish(
                        Self.unanswerable(.void(Random.id)),
                        to: world.names.commandsExchange
                    )
                }
                try await world.keptDeadLetters(2)
                for action in [["replay"], ["discard", "--reason", "r"]] {
                    let without = try await world.command(["dead-letters"] + action + ["--all"])
                    #expect(without.exit == .status(64), "\(without.errors)")
                    #expect(without.errors.contains("2 dead letters match: add --confirm 2"))
                    let misspelt = try await world.command(["dead-letters"] + action + ["--code", "invalid-command"])
                    #expect(misspelt.exit == .status(64) && misspelt.errors.contains("--code: must be one of"))
                    let wrong = try await world.command(["dead-letters"] + action + ["--all", "--confirm", "3"])
                    #expect(wrong.exit == .status(1), "\(wrong.errors)")
                    let dry = try await world.command(["dead-letters"] + action + ["--all", "--dry-run", "--json"])
                    #expect(dry.exit == .status(0) && dry.output.contains(#""selected":2"#))
                }
                #expect(try await world.database.number("SELECT count(*) FROM dead_letter_audit") == 0)
                #expect(try await world.openDeadLetters() == 2)
            }
        }

        @Test("discarded over HTTP, with who did it and why")
        func discardOverHTTP() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                try await world.upstream.publish(Self.unanswerable(.void(Random.id)), to: world.names.commandsExchange)
                let id = try #require(try await world.keptDeadLetters(1).first?["id"]?.string)
                let web = try await processor.admin()
                try await eventually("the gauge shows it") {
                    try await web.text("/metrics").contains("\npayments_dead_letters_open 1\n")
                }
                let order = #"{"ids":["\#(id)"],"confirm":1,"reason":"sent anew"}"#
                let header = HTTPHeader("X-Operator", "ada")
                let answer = try await web.send(.post, "/dead-letters/discard", headers: [header], body: order)
                #expect(answer.status == 200)
                let shown = try await web.json("/dead-letters/\(id)")
                #expect(shown["state"]?.string == "discarded")
                let entry = try #require(shown["audit"]?.elements.first)
                #expect(try await web.json("/dead-letters")["dead_letters"]?.elements.isEmpty == true)
                #expect(
                    try await world.deadLettersJSON("list", "--state", "all") == web.json("/dead-letters?state=all")
                )
                for query in ["code=invalid-command", "stat=open", "state=closed"] {
                    #expect(try await web.send(.get, "/dead-letters?\(query)").status == 400, "\(query)")
                }
                #expect(entry["who"]?.string == "ada" && entry["reason"]?.string == "sent anew")
                let listed = try await world.deadLettersJSON("show", id)
                #expect(listed == shown)
                await web.shutdown()
            }
        }

        @Test("a broker or database that is not there is exit code 69")
        func unreachable() async throws {
            try await World.run(World.Settings(deadLetters: 1)) { world in
                let processor = try await world.startProcessor()
                try await world.upstream.publish(Self.unanswerable(.void(Random.id)), to: world.names.commandsExchange)
                try await world.keptDeadLetters(1)
                // Without a processor the command itself needs the broker.
                #expect(try await processor.terminate() == .status(0))
                let replay = ["dead-letters", "replay", "--all", "--confirm", "1"]
                let noBroker = try await world.command(replay, ["AMQP_URL": "amqp://127.0.0.1:1/%2f"])
                #expect(noBroker.exit == .status(69), "\(noBroker.errors)")
                let replays = try await world.deadLettersJSON("replays", "list")["replays"]?.elements
                #expect(replays?.map { $0["state"]?.string } == ["failed"])
                for command in [replay, ["dead-letters", "list"], ["dead-letters", "stats"]] {
                    let noDatabase = try await world.command(
                        command,
                        ["DATABASE_URL": "postgresql://127.0.0.1:1/nowhere"]
                    )
                    #expect(noDatabase.exit == .status(69), "\(noDatabase.errors)")
                }
            }
        }

        @Test("a message that was delivered too often goes back alone by way of the retry tiers, and is dealt with")
        func deliveryLimit() async throws {
            try await World.run { world in
                #expect(try await world.command(["topology"]).exit == .status(0))
                #expect(try await world.command(["migrate"]).exit == .status(0))
                let command = TestCommand.authorize()
                try await world.send(command)
                try await world.wearOut(command)
                try await world.startProcessor()
                let reply = try await world.upstream.finalReply(to: command)
                #expect(reply.result == "succeeded")
                #expect(try await world.database.number("SELECT sum(times) FROM dead_letter_returns") == 1)
                #expect(try await world.database.number("SELECT count(*) FROM dead_letters") == 0)
            }
        }
    }
}

extension World {
    func replayed() async throws -> Int {
        Int(try await database.number("SELECT count(*) FROM dead_letters WHERE state = 'replayed'"))
    }

    /// That many payments, authorized.
    fileprivate func manyAuthorized(_ count: Int) async throws -> [String] {
        let commands = (0..<count).map { _ in TestCommand.authorize(amount: 1) }
        try await send(commands)
        _ = try await upstream.finalReplies(to: commands)
        return commands.map(\.paymentID)
    }

    /// Leaves a capture whose claim has crashed and whose command the broker has given up, and an authorize that never came.
    fileprivate func prepareAttention(_ capture: TestCommand, _ authorize: TestCommand) async throws {
        try await bank.fault("down")
        try await send(capture)
        try await eventually("the capture was deferred, and its lease was over") {
            let deferred = "SELECT count(*) FROM operations WHERE state = 'UNKNOWN' AND lease_until < now()"
            return try await database.number(deferred) == 1
        }
        // Its copy on a retry tier is lost; what the broker has kept of it is the one that no queue took.
        try await upstream.withConnection { connection in
            for tier in RetryTier.allCases {
                let queue = self.names.retryQueue(tier)
                while try await connection.messageCount(of: queue) > 0 {
                    let consumer = try await connection.consume(queue: queue, prefetch: 1)
                    for try await delivery in consumer {
                        try delivery.acknowledge()
                        break
                    }
                    try await consumer.cancel()
                }
            }
        }
        try await bank.clearFaults()
        for command in [capture, authorize] {
            try await giveUpUnrouted(command)
        }
    }

    /// As if no command queue had taken it for ten minutes.
    fileprivate func giveUpUnrouted(_ command: TestCommand) async throws {
        try await upstream.publish(command.unroutedForLong(replyTo: upstream.replyQueue), to: names.unrouted)
    }

    /// Takes the message and gives it back until the broker gives it up.
    fileprivate func wearOut(_ command: TestCommand) async throws {
        try await upstream.withConnection { connection in
            var consumers: [AMQPConsumer] = []
            for partition in 0..<self.settings.partitions {
                consumers.append(try await connection.consume(queue: self.names.commandsQueue(partition), prefetch: 1))
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for consumer in consumers {
                    group.addTask {
                        for try await delivery in consumer { try delivery.reject(requeue: true) }
                    }
                }
                try await eventually("the broker gave the message up") {
                    try await connection.messageCount(of: self.names.deadLetters) == 1
                }
                for consumer in consumers { try await consumer.cancel() }
                try await group.waitForAll()
            }
        }
    }
}

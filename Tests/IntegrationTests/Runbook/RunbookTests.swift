import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

extension CommandLane {
    @Suite("docs/runbook.md", .timeLimit(.minutes(10)))
    struct RunbookTests {
        @Test("its commands, run in its order in its situations, print what it shows and end as it says")
        func transcript() async throws {
            let transcript = Transcript(DocumentationPage("runbook.md").text)
            let situations = transcript.steps.compactMap { step in
                if case .situation(let name) = step { return name }
                return nil
            }
            #expect(situations == NightShift.situations)
            try await PrivateServices.run { services in
                let settings = World.Settings(servers: services.servers, prefix: "payments")
                try await World.run(settings) { world in
                    let shift = try await NightShift(world, services)
                    var ids = shift.ids
                    for step in transcript.steps {
                        do {
                            try await Self.check(step, &ids, shift)
                        } catch {
                            await shift.end()
                            throw error
                        }
                    }
                    await shift.end()
                }
            }
        }

        private static func check(_ step: Transcript.Step, _ ids: inout ShownIDs, _ shift: NightShift) async throws {
            switch step {
            case .situation(let name):
                try await shift.happen(name)
            case .log(let shown, let line):
                var lines: [String] = []
                var isThere = false
                // It may be about to come.
                for _ in 0..<300 where !isThere {
                    lines = shift.processor.log.split(separator: "\n").map(String.init)
                    isThere = lines.contains { ids.match(["time=… \(shown)"], [$0]) }
                    if !isThere { try await Task.sleep(for: .milliseconds(100)) }
                }
                let last = lines.suffix(20).joined(separator: "\n")
                #expect(isThere, "docs/runbook.md:\(line): the log has no such line: \(shown); its last are\n\(last)")
            case .command(let command):
                guard let text = ids.substituted(command.text) else {
                    Issue.record("docs/runbook.md:\(command.line): names an id that nothing has shown: \(command.text)")
                    return
                }
                let (exit, lines) = try await shift.run(text)
                #expect(exit == .status(command.exit), "docs/runbook.md:\(command.line): \(text)")
                let isShown = ids.match(command.output, lines)
                #expect(
                    isShown,
                    "docs/runbook.md:\(command.line): \(text) printed\n\(lines.joined(separator: "\n"))"
                )
            }
        }

        @Test("an id is what it was where it was first shown; a line too many or too few is noticed")
        func matching() {
            let (one, other) = ("0198c1d2-3b4a-7c5d-8e6f-0a1b2c3d4e5f", "ffffffff-0000-4000-8000-000000000001")
            var ids = ShownIDs(addresses: ["localhost:9090": "127.0.0.1:1"])
            func match(_ shown: [String], _ lines: [String]) -> Bool { ids.match(shown, lines) }
            #expect(ids.substituted("show \(one)") == nil)
            let shown = ["id  \(one)", "…", "end at 2026-01-01T00:00:00Z"]
            #expect(match(shown, ["id   \(other)", "a", "b", "end at 2027-01-01T00:00:00.5Z"]))
            #expect(ids.substituted("curl localhost:9090/\(one)") == "curl 127.0.0.1:1/\(other)")
            #expect(match(["id \(one)"], ["id \(other)"]) && !match(["id \(one)"], ["id \(one)"]))
            #expect(!match(["a"], ["a", "b"]) && !match(["a", "b"], ["a"]) && !match(["a 1"], ["a 2"]))
            #expect(match(["a … (c)"], ["a b (c)"]) && !match(["a … (c)"], ["a b c"]))
        }
    }
}

/// The world of docs/runbook.md: its servers, the processor, and what happens to them.
final class NightShift {
    /// The addresses that the page shows.
    private enum Page {
        static let admin = "localhost:9090"
        static let broker = "127.0.0.1:5672"
        static let bank = "127.0.0.1:8787"
    }

    let world: World
    let processor: ProcessorProcess
    private let services: PrivateServices
    private let bank: TCPProxy
    private let web: WebClient
    private let directory: ScratchDirectory
    private var outage: [TestCommand] = []
    private var capture: TestCommand?
    let ids: ShownIDs

    init(_ world: World, _ services: PrivateServices) async throws {
        self.world = world
        self.services = services
        bank = try TCPProxy(toPort: ServerURL(world.bank.url).port)
        directory = try ScratchDirectory()
        try ScratchDirectory.write(
            "\(TestCard.ample.number) \(TestCard.ample.cvv) 12/2030\n",
            to: directory.file("test-card")
        )
        processor = try await world.startProcessor(nil, ["BANK_URL": "http://127.0.0.1:\(bank.port)"])
        web = try await processor.admin()
        ids = ShownIDs(addresses: [
            Page.admin: "127.0.0.1:\(try await processor.adminPort)",
            Page.broker: "127.0.0.1:\(ServerURL(world.servers.amqpURL).port)",
            Page.bank: "127.0.0.1:\(bank.port)",
        ])
    }

    func end() async {
        // Whatever happened: the world is taken down by way of the broker.
        try? await services.call("start", "rabbitmq")
        await web.shutdown()
        bank.stop()
        directory.remove()
    }

    // MARK: The shell

    /// Runs a command line in the folder of this night.
    func run(_ command: String) async throws -> (exit: Child.Exit, lines: [String]) {
        var environment = world.environment(nil, ["BANK_URL": "http://127.0.0.1:\(bank.port)"])
        let programs = try TestPrograms.processor().split(separator: "/").dropLast().map { "/\($0)" }.joined()
        environment["PATH"] = "\(programs):/usr/local/bin:/usr/bin:/bin"
        let child = try Child(
            "/bin/bash",
            ["-c", "exec 2>&1; cd \(directory.path); \(command)"],
            environment: environment
        )
        let exit = try await child.end()
        defer { child.directory.remove() }
        var lines = child.standardOutput.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        while lines.last == "" { lines.removeLast() }
        return (exit, lines)
    }

    // MARK: What happens

    static let situations = [
        "the bank is down", "the bank is back", "500 invalid commands", "the broker is down", "the broker is back",
        "a capture needs manual review", "the capture is resolved",
    ]

    func happen(_ situation: String) async throws {
        switch situation {
        case "the bank is down": try await bankDown()
        case "the bank is back": try await bankBack()
        case "500 invalid commands": try await invalidCommands()
        case "the broker is down":
            try await services.call("stop", "rabbitmq")
            try await says("\"broker\":\"lost\"")
            try await processor.logged("the broker is unavailable")
        case "the broker is back":
            try await services.call("start", "rabbitmq")
            try await processor.answersReady(200)
            try await processor.logged("the broker is available again")
        case "a capture needs manual review": try await manualReview()
        case "the capture is resolved":
            _ = try await world.upstream.finalReply(to: try #require(capture))
            try await eventually("that it was notified is on record") {
                let unsent = "SELECT (SELECT count(*) FROM outbox WHERE sent_at IS NULL) + count(*) FROM operations"
                return try await world.database.number("\(unsent) WHERE notified_at IS NULL") == 0
            }
        default: throw ChildError("nothing is known of the situation: \(situation)")
        }
    }

    /// Twenty clients want to pay while nobody listens at the bank's address.
    private func bankDown() async throws {
        bank.setRefusing(true)
        bank.cutConnections()
        outage = (0..<20).map { _ in TestCommand.authorize() }
        try await world.send(outage)
        try await says("\"bank\":\"open\"", "\"replies\":")
    }

    private func bankBack() async throws {
        bank.setRefusing(false)
        try await world.expect(outage, endAs: "succeeded")
        try await says("\"bank\":\"closed\"")
    }

    /// Four hundred without a type, a hundred with an amount that is none.
    private func invalidCommands() async throws {
        for _ in 0..<400 {
            var message = TestCommand.authorize().message(replyTo: nil)
            message.properties.type = nil
            try await world.upstream.publish(message, to: world.names.commandsExchange)
        }
        for _ in 0..<100 {
            var command = TestCommand.authorize()
            command.body = command.body.replacing("\"amount\":5000", with: "\"amount\":\"50.00\"")
            try await world.upstream.publish(command.message(replyTo: nil), to: world.names.commandsExchange)
        }
        try await world.keptDeadLetters(400)
        try await says("\"replies\":100")
        try await eventually("the metric said so") {
            try await world.metric("payments_dead_letters_open") == 400
        }
    }

    /// The bank executes a capture and answers with another amount.
    private func manualReview() async throws {
        let payment = try await world.authorized()
        let authorization = try #require(try await world.bank.ledger().last?.authorizationID)
        try await world.bank.answer(
            200,
            #"{"status":"captured","capture_id":"cap_1","authorization_id":"\#(authorization)","amount":1}"#,
            on: .capture
        )
        let command = TestCommand.capture(payment)
        capture = command
        try await world.send(command)
        try await world.keptDeadLetters(401)
        try await eventually("the metric said so") {
            try await world.metric("payments_dead_letters_open") == 1
        }
    }

    private func says(_ parts: String...) async throws {
        try await eventually("/readyz said \(parts)", context: { self.processor.child.lastWords }) {
            let text = String(decoding: try await self.web.send(.get, "/readyz").body, as: UTF8.self)
            return parts.allSatisfy(text.contains)
        }
    }
}

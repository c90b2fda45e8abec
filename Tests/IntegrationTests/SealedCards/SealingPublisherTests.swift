import AMQP
import BrokerMapping
import CardSealing
import Core
import Glibc
import TestSupport
import Testing

extension CommandLane {
    @Suite("The publisher seals", .timeLimit(.minutes(10)))
    struct SealingPublisherTests {
        @Test("for a key in a file, of a set, at an address; one command and a batch; and the processor opens it")
        func sealing() async throws {
            let directory = try ScratchDirectory()
            defer { directory.remove() }
            let path = directory.file("card.jwk")
            try await World.run(
                World.Settings(processor: ["CARDS_KEY_FILES": path, "CARDS_ACCEPT_PLAIN": "false"])
            ) { world in
                let made = try await world.command(
                    ["keys", "generate", "--out", path, "--json"],
                    ["CARDS_KEY_FILES": "", "CARDS_ACCEPT_PLAIN": ""]
                )
                #expect(made.exit == .status(0), "\(made.errors)")
                var status = stat()
                #expect(stat(path, &status) == 0 && status.st_mode & 0o777 == 0o600)
                let id = try JSONParser.parse(Array(made.output.utf8))["kid"]?.string
                let again = try await world.command(["keys", "generate", "--out", path])
                #expect(again.exit == .status(1))
                let listed = try await world.command(["keys", "list", "--json"])
                let keys = try JSONParser.parse(Array(listed.output.utf8))["keys"]?.elements ?? []
                #expect(keys.map { $0["kid"]?.string } == [id])
                #expect(keys.first?["state"]?.string == "current")
                let set = directory.file("jwks.json")
                try ScratchDirectory.write(try await world.command(["keys", "public"]).output, to: set)

                let processor = try await world.startProcessor()
                let address = "http://127.0.0.1:\(try await processor.adminPort)/.well-known/jwks.json"
                for source in [path, set, address] {
                    let result = try await world.publisher(Self.authorize + ["--card-key", source])
                    #expect(result.exit == .status(0), "\(result.errors)")
                }
                // Unsealed it is refused: so the others were sealed.
                #expect(try await world.publisher(Self.authorize).exit == .status(3))
                let card = TestCard.ample.json
                let lines = (1...3).map { number in
                    let body = #"{"order_id":"o","customer_id":"c","amount":5000,"card":\#(card)}"#
                    return #"{"operation":"authorize","idempotency_key":"k-\#(number)","body":\#(body)}"#
                }
                let batch = directory.file("batch.ndjson")
                try ScratchDirectory.write(lines.joined(separator: "\n"), to: batch)
                for _ in 1...2 {
                    let result = try await world.publisher(
                        ["batch", "--json", batch],
                        ["PUBLISHER_CARD_KEY": address]
                    )
                    #expect(result.exit == .status(0), "\(result.errors)")
                    #expect(result.output.contains(#""succeeded":3"#))
                }
                #expect(try await world.bank.ledger().count == 6)
                for bad in [directory.file("none"), batch, "http://payments.example/jwks.json"] {
                    #expect(try await world.publisher(Self.authorize + ["--card-key", bad]).exit == .status(78))
                }
                try await CardDataSearch(world).run()
            }
        }

        private static let authorize = [
            "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card", TestCard.ample.number,
            "--cvv", TestCard.ample.cvv, "--expiry", "12/2030", "--json",
        ]

        @Test(
            "what it seals opens with node, jwcrypto and joserfc, as far as they are here",
            arguments: CardCurve.allCases
        )
        func foreign(_ curve: CardCurve) async throws {
            let file = try CardKeyFile(curve)
            defer { file.remove() }
            // There is no processor, hence nothing to audit.
            try await World.run(World.Settings(isAudited: false)) { world in
                let topology = try await world.command(["topology"])
                #expect(topology.exit == .status(0), "\(topology.errors)")
                let payment = Random.id
                let sent = try await world.publisher(
                    Self.authorize + ["--no-wait", "--payment-id", payment, "--card-key", file.path]
                )
                #expect(sent.exit == .status(0), "\(sent.errors)")
                let others = ["capture", "void", "refund"]
                for kind in others {
                    let other = try await world.publisher([kind, "--no-wait", "--json", "--payment-id", payment])
                    #expect(other.exit == .status(0), "\(other.errors)")
                }
                var messages: [AMQPMessage] = []
                for partition in 0..<world.settings.partitions {
                    messages += try await world.upstream.browse(world.names.commandsQueue(partition))
                }
                #expect(messages.count == others.count + 1)
                let authorize = messages.first { $0.properties.type == "payment.authorize.v1" }
                let body = try JSONParser.parse(#require(authorize).body)
                #expect(body["card"] == nil)
                let token = try #require(body["sealed_card"]?.string)
                for tool in ForeignTool.all where try await tool.isThere() {
                    let opened = try JSONParser.parse(Array(try await tool.open(token, with: file.path).utf8))
                    #expect(opened["payment_id"]?.string == payment, "\(tool.name)")
                    #expect(opened["card"]?["number"]?.string == TestCard.ample.number, "\(tool.name)")
                    #expect(opened["card"]?["expiry_year"]?.integer == 2030, "\(tool.name)")
                }
            }
        }
    }
}

/// Something of another maker that opens sealed cards. `SEALED_CARD_PYTHON` names a Python that has the packages.
struct ForeignTool: Sendable {
    let name: String
    private let probe: [String]
    private let command: [String]

    private static let python = getenv("SEALED_CARD_PYTHON").map { String(cString: $0) } ?? "python3"

    static let all = [
        ForeignTool(
            name: "node",
            probe: ["node", "--version"],
            command: ["node", "\(ForeignCards.directory)/jwe.mjs", "open"]
        ),
        python("jwcrypto"), python("joserfc"),
    ]

    private static func python(_ library: String) -> ForeignTool {
        ForeignTool(
            name: library,
            probe: [python, "-c", "import \(library)"],
            command: [python, "\(ForeignCards.directory)/open.py", library]
        )
    }

    func isThere() async throws -> Bool { try await run(probe).exit == .status(0) }

    func open(_ token: String, with keyFile: String) async throws -> String {
        let result = try await run(command + [keyFile, token])
        guard result.exit == .status(0) else { throw ChildError("\(name): \(result.errors)") }
        return result.output
    }

    private func run(_ arguments: [String]) async throws -> (exit: Child.Exit, output: String, errors: String) {
        let child = try Child("/usr/bin/env", arguments, environment: [:])
        defer { child.directory.remove() }
        return (try await child.end(), child.standardOutput, child.standardError)
    }
}

import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("The publisher and a real processor", .timeLimit(.minutes(10)))
    struct PublisherTests {
        @Test("each outcome has its exit code, and the reply is printed as it came")
        func outcomes() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payment = Random.id
                let key = Random.id
                let authorize = Self.authorize(.ample) + ["--payment-id", payment, "--idempotency-key", key]
                let first = try await world.publisher(authorize)
                #expect(first.exit == .status(0), "\(first.errors)")
                let reply = try JSONParser.parse(Array(first.output.dropLast().utf8))
                #expect(reply["payment_id"]?.string == payment)
                #expect(reply["outcome"]?.string == "succeeded")
                let again = try await world.publisher(authorize)
                #expect(again.output == first.output)

                let cases: [([String], Int32)] = [
                    (["capture", "--payment-id", payment, "--amount", "5000", "--json"], 0),
                    (["void", "--payment-id", payment, "--json"], 3),
                    (["refund", "--payment-id", payment, "--json"], 0),
                    (Self.authorize(.empty), 2),
                    (Self.authorize(.wrongCVV), 2),
                    (["capture", "--payment-id", Random.id, "--json"], 3),
                ]
                for (arguments, status) in cases {
                    let result = try await world.publisher(arguments)
                    #expect(result.exit == .status(status), "\(arguments[0]): \(result.errors)")
                    #expect(try JSONParser.parse(Array(result.output.dropLast().utf8))["final"] == .bool(true))
                }
                // Its reply queues are gone with it, and none of its replies went astray.
                let left = try await world.upstream.withConnection { connection in
                    try await connection.messageCount(of: world.names.repliesQueue)
                }
                #expect(left == 0)
            }
        }

        @Test("replies that nobody waits for are taken from the common queue, printed, and gone")
        func replies() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payments = [Random.id, Random.id]
                for payment in payments {
                    let sent = try await world.publisher(
                        Self.authorize(.ample) + ["--payment-id", payment, "--no-wait"]
                    )
                    #expect(sent.exit == .status(0), "\(sent.errors)")
                }
                try await eventually("both replies wait") {
                    try await world.upstream.withConnection { connection in
                        try await connection.messageCount(of: world.names.repliesQueue)
                    } == 2
                }
                // What cannot be printed stays where it is.
                for options in [[], ["--json"]] {
                    let lost = try await world.publisher(["replies"] + options, output: "/dev/full")
                    #expect(lost.exit == .status(74), "\(lost.errors)")
                }
                let taken = try await world.publisher(["replies", "--json"])
                #expect(taken.exit == .status(0), "\(taken.errors)")
                let shown = try taken.output.split(separator: "\n").map {
                    try JSONParser.parse(Array($0.utf8))["payment_id"]?.string
                }
                #expect(Set(shown) == Set(payments))
                let again = try await world.publisher(["replies"])
                #expect(again.exit == .status(0) && again.output.isEmpty, "\(again.output)")
            }
        }

        @Test("what is no reply is printed too before it is taken from the queue")
        func noReply() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let stray = AMQPMessage(properties: AMQPProperties(messageID: "m-1"), body: Array("hello".utf8))
                try await world.upstream.publish(stray, to: "", routingKey: world.names.repliesQueue)
                let taken = try await world.publisher(["replies"])
                #expect(taken.exit == .status(0), "\(taken.errors)")
                #expect(taken.output == "not a reply: message_id m-1, body hello\n")
            }
        }

        @Test("a batch without keys that is sent again beside its file of keys makes each hold once")
        func batchTwice() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                try await processor.terminate()
                let folder = try ScratchDirectory()
                defer { folder.remove() }
                let file = folder.file("batch.ndjson")
                try ScratchDirectory.write(String(repeating: Self.line + "\n", count: 3), to: file)
                for _ in 0..<2 {
                    let result = try await world.publisher(["batch", file, "--timeout", "1s", "--json"])
                    #expect(result.exit == .status(4), "\(result.errors)")
                    #expect(result.errors.split(separator: "\n").count { $0.contains(": no final reply: ") } == 3)
                }
                try await world.startProcessor()
                let result = try await world.publisher(["batch", file, "--json"])
                #expect(result.exit == .status(0), "\(result.errors)")
                #expect(try await world.bank.ledger().count == 3)
                #expect(try await world.database.number("SELECT count(*) FROM payments") == 3)
            }
        }

        private static let line = """
            {"operation":"authorize","body":{"order_id":"o","customer_id":"c","amount":5000,"card":{"number":\
            "4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}}}
            """

        private static func authorize(_ card: TestCard) -> [String] {
            [
                "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--json",
                "--card", card.number, "--cvv", card.cvv, "--expiry", "\(card.expiryMonth)/\(card.expiryYear)",
            ]
        }
    }
}

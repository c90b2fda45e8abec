import AMQP
import BrokerMapping
import Core
import TestSupport
import Testing

extension CommandLane {
    /// docs/contract.md#merchants
    @Suite("Merchants", .timeLimit(.minutes(10)))
    struct MerchantsTests {
        @Test("whoever publishes acts for their own merchants only, also after a retry; the publisher says who it is")
        func access() async throws {
            let directory = try ScratchDirectory()
            defer { directory.remove() }
            let file = directory.file("merchants")
            try await World.run(World.Settings(processor: ["MERCHANTS_FILE": file])) { world in
                let user = try AMQPConfiguration(url: world.servers.amqpURL).user
                try ScratchDirectory.write("# who may act for whom\n\(user) shop,default\n", to: file)
                try await world.startProcessor()
                let payment = Random.id
                let authorize = [
                    "authorize", "--amount", "5000", "--order-id", "o", "--customer-id", "c", "--card",
                    TestCard.ample.number, "--cvv", TestCard.ample.cvv, "--expiry", "12/2030", "--json",
                ]
                let own = try await world.publisher(authorize + ["--merchant-id", "shop", "--payment-id", payment])
                #expect(own.exit == .status(0), "\(own.errors)")
                let other = try await world.publisher(authorize + ["--merchant-id", "another"])
                #expect(other.exit == .status(3), "\(other.errors)")
                #expect(other.output.contains("merchant-id: "))

                // A capture that comes before its authorize waits on a retry tier, and comes again as a copy.
                let late = TestCommand.authorize()
                var capture = TestCommand.capture(late.paymentID).message(replyTo: nil)
                capture.properties.userID = user
                try await world.upstream.publish(capture, to: world.names.commandsExchange)
                var first = late.message(replyTo: nil)
                first.properties.userID = user
                try await world.upstream.publish(first, to: world.names.commandsExchange)
                try await eventually("the payment was captured") {
                    try await world.database.number(
                        "SELECT count(*) FROM payments WHERE id = '\(late.paymentID)' AND status = 'CAPTURED'"
                    ) == 1
                }
                // Nobody vouches for this one; its rejection goes to the common queue.
                let nobody = TestCommand.authorize()
                try await world.send(nobody)
                try await eventually("it was rejected") {
                    try await world.upstream.browse(world.names.repliesQueue).contains { message in
                        let body = String(decoding: message.body, as: UTF8.self)
                        return body.contains(nobody.key) && body.contains("user_id: ")
                    }
                }
                #expect(try await world.bank.ledger().count == 3)
            }
        }
    }
}

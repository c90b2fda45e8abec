import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    /// docs/contract.md#replies, to the byte.
    @Suite("The shape of replies", .timeLimit(.minutes(10)))
    struct ReplyShapeTests {
        @Test("the properties, headers and bytes of a success are those of the contract")
        func success() async throws {
            try await World.run { world in
                try await world.startProcessor()
                var authorize = TestCommand.authorize()
                authorize.correlationID = "correlation-\(authorize.messageID)"
                authorize.traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
                let reply = try await world.ask(authorize)
                let properties = reply.message.properties
                #expect(properties.type == "payment.authorize.result.v1")
                #expect(properties.contentType == "application/json")
                #expect(properties.correlationID == authorize.correlation)
                #expect(properties.deliveryMode == .persistent)
                #expect(properties.messageID?.isEmpty == false)
                #expect(properties.headers["payment-id"]?.stringValue == authorize.paymentID)
                #expect(properties.headers["idempotency-key"]?.stringValue == authorize.key)
                #expect(properties.headers["merchant-id"]?.stringValue == "default")
                #expect(properties.headers["idempotent-replayed"] == .bool(false))
                let trace = properties.headers["traceparent"]?.stringValue
                #expect(trace?.hasPrefix("00-0af7651916cd43dd8448eb211c80319c-") == true)
                #expect(trace?.contains("b7ad6b7169203331") == false, "the span is the caller's own")

                let entry = try #require(try await world.bank.ledger().first)
                let payment = try #require(reply.json["payment"])
                let answer = try #require(reply.json["bank_response"]?["body"])
                let authorized = try #require(payment["authorized_at"]?.string)
                let created = try #require(payment["created_at"]?.string)
                let expires = try #require(payment["expires_at"]?.string)
                for time in [authorized, created, expires] {
                    #expect(time.wholeMatch(of: /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z/) != nil)
                }
                let bankCreated = answer["created_at"]?.string ?? ""
                let bankExpires = answer["expires_at"]?.string ?? ""
                // Not by our own encoder: each name, its place and its form as the contract has them.
                #expect(
                    reply.body == """
                        {"bank_response":{"body":{"amount":5000,"authorization_id":"\(entry.bankID)",\
                        "created_at":"\(bankCreated)","currency":"USD","expires_at":"\(bankExpires)",\
                        "status":"approved"},"status":200},"error":null,"final":true,\
                        "idempotency_key":"\(authorize.key)","operation":"authorize","outcome":"succeeded",\
                        "payment":{"amount":5000,"authorized_at":"\(authorized)",\
                        "bank":{"authorization_id":"\(entry.bankID)","capture_id":null,"refund_id":null,"void_id":null},\
                        "captured_at":null,"created_at":"\(created)","currency":"USD","customer_id":"cust-1",\
                        "expires_at":"\(expires)","id":"\(authorize.paymentID)","merchant_id":"default",\
                        "order_id":"order-1","refunded_at":null,"status":"AUTHORIZED","voided_at":null},\
                        "payment_id":"\(authorize.paymentID)"}
                        """
                )
            }
        }

        @Test("a rejection carries its code, and is null where there is nothing to say")
        func rejection() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let command = TestCommand.capture(Random.id)
                let reply = try await world.ask(command)
                let message = try #require(reply.errorMessage)
                #expect(
                    reply.body == """
                        {"bank_response":null,"error":{"code":"payment_not_found","message":"\(message)",\
                        "retryable":true,"source":"processor"},"final":true,"idempotency_key":"\(command.key)",\
                        "operation":"capture","outcome":"rejected","payment":null,\
                        "payment_id":"\(command.paymentID)"}
                        """
                )
                #expect(reply.message.properties.type == "payment.capture.result.v1")
                // Without a correlation id of its own, the message id.
                #expect(reply.message.properties.correlationID == command.messageID)
                #expect(reply.message.properties.headers["traceparent"] == nil)
            }
        }

        @Test("a payment id in upper case is the same payment, and is answered in lower case")
        func upperCase() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payment = try await world.authorized()
                let reply = try await world.ask(.capture(payment.uppercased()))
                #expect(reply.result == "succeeded")
                #expect(reply.json["payment_id"]?.string == payment)
                #expect(reply.message.properties.headers["payment-id"]?.stringValue == payment)
            }
        }

        @Test("a replay has the same bytes and message id, also after a restart of the processor")
        func replays() async throws {
            try await World.run { world in
                let first = try await world.startProcessor()
                let payment = Random.id
                let commands = [
                    TestCommand.authorize(paymentID: payment), .capture(payment), .void(payment),
                    .authorize(card: .empty), .authorize(paymentID: payment),
                ]
                let results = [
                    "succeeded", "succeeded", "rejected invalid_transition", "declined insufficient_funds",
                    "rejected payment_exists",
                ]
                var originals: [ReceivedReply] = []
                for (command, result) in zip(commands, results) {
                    let reply = try await world.ask(command)
                    #expect(reply.result == result)
                    #expect(reply.isReplayed == false)
                    originals.append(reply)
                }
                let requests = try await world.bank.requests().count
                try await checkReplays(of: commands, originals, in: world)
                #expect(try await first.terminate() == .status(0))
                try await world.startProcessor()
                try await checkReplays(of: commands, originals, in: world)
                #expect(try await world.bank.requests().count == requests)
            }
        }

        private func checkReplays(
            of commands: [TestCommand],
            _ originals: [ReceivedReply],
            in world: World
        ) async throws {
            for (command, original) in zip(commands, originals) {
                let replay = try await world.ask(command.duplicate)
                #expect(replay.message.body == original.message.body)
                #expect(replay.message.properties.messageID == original.message.properties.messageID)
                #expect(replay.isReplayed == true)
            }
        }
    }
}

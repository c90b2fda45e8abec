import AMQP
import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("The full flow", .timeLimit(.minutes(10)))
    struct FlowTests {
        @Test("a payment is authorized, captured and refunded, another authorized and voided")
        func fullFlow() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let payment = try await world.authorized()
                let capture = try await world.ask(.capture(payment, amount: 5000))
                #expect(capture.result == "succeeded")
                #expect(capture.paymentStatus == "CAPTURED")
                let refund = try await world.ask(.refund(payment))
                #expect(refund.result == "succeeded")
                #expect(refund.paymentStatus == "REFUNDED")

                let other = try await world.authorized()
                let void = try await world.ask(.void(other))
                #expect(void.result == "succeeded")
                #expect(void.paymentStatus == "VOIDED")

                #expect(try await world.bank.ledger().count == 5)
                let history = try await world.database.rows(
                    "SELECT to_status FROM payment_history WHERE payment_id = '\(payment)' ORDER BY version"
                )
                let path = ["PENDING", "AUTHORIZED", "CAPTURING", "CAPTURED", "REFUNDING", "REFUNDED"]
                #expect(history.map { $0["to_status"]?.string } == path)
            }
        }

        @Test("what the state of a payment does not allow is rejected without asking the bank")
        func invalidTransitions() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let captured = try await world.authorized()
                #expect(try await world.ask(.refund(captured)).result == "rejected invalid_transition")
                #expect(try await world.ask(.capture(captured, amount: 4999)).result == "rejected amount_mismatch")
                try await world.ask(.capture(captured))
                for command in [TestCommand.capture(captured), .void(captured)] {
                    let reply = try await world.ask(command)
                    #expect(reply.result == "rejected invalid_transition")
                    #expect(reply.paymentStatus == "CAPTURED")
                    #expect(reply.json["bank_response"] == .null)
                }
                try await world.ask(.refund(captured))
                #expect(try await world.ask(.refund(captured)).result == "rejected invalid_transition")

                let absent = try await world.ask(.capture(Random.id))
                #expect(absent.result == "rejected payment_not_found")
                #expect(absent.json["payment"] == .null)
                #expect(try await world.bank.requests().count == 3)
            }
        }

        @Test("a command whose deadline has passed never reaches the bank, and its key stays free")
        func deadline() async throws {
            try await World.run { world in
                try await world.startProcessor()
                var late = TestCommand.authorize()
                late.deadline = "2020-01-01T00:00:00Z"
                let reply = try await world.ask(late)
                #expect(reply.result == "rejected deadline_passed")
                #expect(reply.json["error"]?["retryable"] == .bool(true))
                #expect(try await world.bank.requests().isEmpty)

                var again = late.duplicate
                again.deadline = "2099-01-01T00:00:00Z"
                #expect(try await world.ask(again).result == "succeeded")
            }
        }

        @Test("a payment belongs to the merchant that authorized it")
        func merchants() async throws {
            try await World.run { world in
                try await world.startProcessor()
                var authorize = TestCommand.authorize()
                authorize.merchantID = "one"
                #expect(try await world.ask(authorize).result == "succeeded")

                var foreign = TestCommand.capture(authorize.paymentID)
                foreign.merchantID = "two"
                // Keys are unique per merchant: another one may use the same.
                foreign.key = authorize.key
                let reply = try await world.ask(foreign)
                #expect(reply.result == "rejected payment_not_found")
                #expect(reply.message.properties.headers["merchant-id"] == "two")

                var taken = TestCommand.authorize(paymentID: authorize.paymentID)
                taken.merchantID = "two"
                let exists = try await world.ask(taken)
                #expect(exists.result == "rejected payment_exists")
                #expect(exists.json["payment"] == .null)
            }
        }

        @Test("without a reply address, or with one that is not allowed, the reply goes to the default queue")
        func defaultReplyQueue() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let queue = world.names.repliesQueue
                let exchange = world.names.commandsExchange
                let commands = [TestCommand.authorize(), .authorize(), .authorize(), .authorize(), .authorize()]
                let addresses = [nil, "amq.gen-x", world.names.commandsQueue(0), "replies.", "replies.a b"]
                for (command, address) in zip(commands, addresses) {
                    try await world.upstream.publish(command.message(replyTo: address), to: exchange)
                }
                try await eventually("five replies were in \(queue)") {
                    try await world.waiting(in: queue) == 5
                }
                let replies = try await world.upstream.browse(queue)
                #expect(
                    Set(replies.map { $0.properties.correlationID ?? "" }) == Set(commands.map(\.correlation))
                )
            }
        }

        @Test("a reply whose queue is gone is recorded as undeliverable, and the key still fetches it")
        func undeliverable() async throws {
            try await World.run { world in
                try await world.startProcessor()
                let command = TestCommand.authorize()
                try await world.upstream.publish(
                    command.message(replyTo: "replies.test.gone.\(Random.name)"),
                    to: world.names.commandsExchange
                )
                try await eventually("it was recorded") {
                    try await world.database.number(
                        "SELECT count(*) FROM operations WHERE undeliverable_at IS NOT NULL"
                    ) == 1
                }
                let reply = try await world.ask(command.duplicate)
                #expect(reply.result == "succeeded")
                #expect(reply.isReplayed == true)
            }
        }
    }
}

extension CommandLane {
    @Suite("Declines", .timeLimit(.minutes(10)))
    struct DeclineTests {
        struct Case: Sendable, CustomTestStringConvertible {
            let card: TestCard
            let code: String
            let isRetryable: Bool
            let status: Int64

            var testDescription: String { "\(code) \(card.number.suffix(4))" }
        }

        static let cases = [
            Case(card: .empty, code: "insufficient_funds", isRetryable: true, status: 402),
            Case(card: .expired, code: "card_expired", isRetryable: false, status: 400),
            Case(card: .wrongCVV, code: "invalid_cvv", isRetryable: false, status: 400),
            Case(card: .unknown, code: "invalid_card", isRetryable: false, status: 400),
        ]

        @Test("a declined card is answered with the bank's code, and its payment has failed for good", arguments: cases)
        func decline(_ decline: Case) async throws {
            try await World.run { world in
                try await world.startProcessor()
                let command = TestCommand.authorize(card: decline.card)
                let reply = try await world.ask(command)
                #expect(reply.result == "declined \(decline.code)")
                #expect(reply.paymentStatus == "FAILED")
                #expect(reply.json["error"]?["source"]?.string == "bank")
                #expect(reply.json["error"]?["retryable"] == .bool(decline.isRetryable))
                #expect(reply.json["bank_response"]?["status"]?.integer == decline.status)
                #expect(reply.json["bank_response"]?["body"]?["error"]?.string == decline.code)

                // The bank decides a declined key anew (docs/correctness.md#declines-are-decided-again): it must never
                // be asked again.
                let replay = try await world.ask(command.duplicate)
                #expect(replay.message.body == reply.message.body)
                let another = try await world.ask(.authorize(paymentID: command.paymentID))
                #expect(another.result == "rejected payment_exists")
                #expect(another.paymentStatus == "FAILED")
                #expect(try await world.bank.requests().count == 1)
                #expect(try await world.ask(.capture(command.paymentID)).result == "rejected invalid_transition")
            }
        }

        @Test("a capture after the authorization has expired is declined, and the payment can still be voided")
        func expired() async throws {
            try await World.run(World.Settings(bank: ["AUTH_EXPIRY_SECONDS": "0"])) { world in
                try await world.startProcessor()
                let payment = try await world.authorized()
                let capture = try await world.ask(.capture(payment))
                #expect(capture.result == "declined authorization_expired")
                #expect(capture.paymentStatus == "EXPIRED")
                #expect(try await world.ask(.capture(payment)).result == "rejected invalid_transition")
                let void = try await world.ask(.void(payment))
                #expect(void.result == "succeeded")
                #expect(void.paymentStatus == "VOIDED")
            }
        }
    }
}

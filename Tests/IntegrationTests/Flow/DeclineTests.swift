import AMQP
import Core
import Testing

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

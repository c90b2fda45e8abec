import Core
import Simulation
import Testing

@Suite("Commands, one at a time", .timeLimit(.minutes(1)))
struct OperationTests {
    @Test("authorize, capture and refund go through, each with its reply")
    func captureAndRefund() throws {
        try World.run { world in
            let authorized = try await world.ask(.authorize, key: "a")
            #expect(authorized.outcome == "succeeded")
            #expect(authorized.status == "AUTHORIZED")
            #expect(authorized.isReplayed == false)
            #expect(authorized.destination == .replies(nil))
            #expect(authorized.body["bank_response"]?["status"] == .number("200"))
            let captured = try await world.ask(.capture, key: "c")
            #expect(captured.status == "CAPTURED")
            let refunded = try await world.ask(.refund, key: "r", body: "{}")
            #expect(refunded.status == "REFUNDED")

            #expect(world.bank.ledger.map(\.operation) == [.authorize, .capture, .refund])
            let view = try await world.view()
            #expect(view.operations.map(\.bankKey) == world.bank.ledger.map(\.idempotencyKey))
            #expect(view.operations.allSatisfy { $0.bankKey.hasPrefix("pp1-") })
            #expect(view.history.map(\.to) == [.pending, .authorized, .capturing, .captured, .refunding, .refunded])
            #expect(view.payment.bank.refundID == world.bank.ledger.last?.id)
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.deadLetters.isEmpty && world.deferred.isEmpty)
            #expect(world.bank.account(CommandMessage.number)?.available == 1_000_000)
        }
    }

    @Test("authorize and void go through, and give the hold back")
    func void() throws {
        try World.run { world in
            try await world.ask(.authorize, key: "a")
            #expect(world.bank.account(CommandMessage.number)?.available == 995_000)
            let voided = try await world.ask(.void, key: "v")
            #expect(voided.status == "VOIDED")
            #expect(world.bank.account(CommandMessage.number)?.available == 1_000_000)
            let late = try await world.ask(.capture, key: "c")
            #expect(late.code == "invalid_transition")
            #expect(world.bank.requests.count == 2)
        }
    }

    @Test(
        "each test card has its answer, and a decline is never asked again",
        arguments: [
            ("5555555555554444", "789", 5_000, "insufficient_funds"),
            ("5105105105105100", "321", 5_000, "card_expired"),
            ("4242424242424242", "456", 50_001, "insufficient_funds"),
            ("4242424242424242", "457", 5_000, "invalid_cvv"),
            ("4000000000000002", "123", 5_000, "invalid_card"),
        ]
    )
    func declines(number: String, cvv: String, amount: Int, code: String) throws {
        let card = #"{"number":"\#(number)","cvv":"\#(cvv)","expiry_month":12,"expiry_year":2030}"#
        let body = CommandMessage.authorizeBody(amount: "\(amount)", card: card)
        try World.run { world in
            let declined = try await world.ask(.authorize, key: "a", body: body)
            #expect(declined.outcome == "declined")
            #expect(declined.code == code)
            #expect(declined.status == "FAILED")
            #expect(declined.body["error"]?["source"]?.string == "bank")
            #expect(declined.body["error"]?["retryable"] == .bool(code == "insufficient_funds"))
            let again = try await world.ask(.authorize, key: "a", body: body)
            #expect(again.message.body == declined.message.body)
            #expect(again.isReplayed == true)
            #expect(world.bank.requests.count == 1)
            #expect(world.bank.ledger.isEmpty)
        }
    }

    @Test("a duplicate gets the same bytes and the same message id, and the bank is not asked")
    func duplicate() throws {
        try World.run { world in
            let first = try await world.ask(.authorize, key: "a")
            for _ in 0..<3 {
                let again = try await world.ask(.authorize, key: "a")
                #expect(again.message.body == first.message.body)
                #expect(again.message.messageID == first.message.messageID)
                #expect(again.isReplayed == true)
            }
            #expect(world.bank.requests.count == 1)
            let reused = try await world.ask(.void, key: "a")
            #expect(reused.code == "idempotency_key_reused")
        }
    }

    @Test("an invalid command is answered and acknowledged, with no dead letter and no bank call")
    func invalid() throws {
        try World.run { world in
            let reply = try await world.ask(.authorize, key: "a", body: CommandMessage.authorizeBody(amount: "-1"))
            #expect(reply.outcome == "rejected")
            #expect(reply.code == "invalid_command")
            #expect(reply.body["error"]?["message"]?.string?.hasPrefix("amount: ") == true)
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.deadLetters.isEmpty)
            #expect(world.bank.requests.isEmpty)
            #expect(world.store.operations.isEmpty)
            // What was invalid binds nobody: the key is free.
            #expect(try await world.ask(.authorize, key: "a").outcome == "succeeded")
        }
    }

    @Test("what is not answerable is a dead letter with its reason, and nobody is notified")
    func unanswerable() throws {
        try World.run { world in
            world.send(.authorize, key: "a") { $0.type = "payment.cancel.v1" }
            world.send(.authorize, key: "b") {
                $0.headers[HeaderName.idempotencyKey] = nil
                $0.headers["x-death"] = .other
            }
            try await world.until { world.deadLetters.count == 2 && world.broker.unacknowledged == 0 }
            for deadLetter in world.deadLetters {
                #expect(deadLetter.headers["error-code"] == .string("invalid_command"))
                let field = deadLetter.type == "payment.cancel.v1" ? "type: " : "idempotency-key: "
                #expect(deadLetter.headers["error-message"]?.string?.hasPrefix(field) == true)
                #expect(deadLetter.headers["x-death"] == nil)
                #expect(deadLetter.body == Array(CommandMessage.authorizeBody().utf8))
            }
            #expect(world.replies.isEmpty)
        }
    }

    @Test("a reply address that is not allowed is ignored, and told, for invalid commands too")
    func replyAddress() throws {
        try World.run { world in
            world.send(.authorize, key: "a") { $0.replyTo = "replies.mine" }
            try await world.until { world.replies("a").count == 1 }
            #expect(world.replies("a").first?.destination == .replies("replies.mine"))
            world.send(.capture, key: "b") { $0.replyTo = "payments.commands.0" }
            world.send(.capture, key: "c", body: "[]") { $0.replyTo = "amq.gen-x" }
            try await world.until { world.replies("b").count == 1 && world.replies("c").count == 1 }
            #expect((world.replies("b") + world.replies("c")).allSatisfy { $0.destination == .replies(nil) })
            #expect(
                (world.replies("b") + world.replies("c")).allSatisfy {
                    $0.message.headers["reply-to-ignored"] == .bool(true)
                }
            )
            #expect(world.count { if case .replyAddressIgnored = $0 { true } else { false } } == 2)
        }
    }
}

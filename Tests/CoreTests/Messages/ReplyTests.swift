import Testing

@testable import Core

@Suite("Reply body", .timeLimit(.minutes(1)))
struct ReplyTests {
    /// The example of docs/contract.md#replies, with its ellipses filled in and its line breaks taken out.
    private static let golden = #"""
        {"bank_response":{"body":{"authorization_id":"auth_1","status":"approved"},"status":200},
        "error":null,"final":true,"idempotency_key":"k-1","operation":"authorize","outcome":"succeeded",
        "payment":{"amount":5000,"authorized_at":"2026-01-31T12:00:00.000001Z","bank":{"authorization_id":"auth_1","capture_id":null,"refund_id":null,"void_id":null},
        "captured_at":null,"created_at":"2026-01-31T11:59:59.000000Z","currency":"USD","customer_id":"cust-1","expires_at":"2026-02-07T12:00:00.000000Z","id":"0190c3a1-7b2d-7c3e-8f4a-123456789abc","merchant_id":"default",
        "order_id":"order-1","refunded_at":null,"status":"AUTHORIZED","voided_at":null},
        "payment_id":"0190c3a1-7b2d-7c3e-8f4a-123456789abc"}
        """#.replacing("\n", with: "")

    private func payment() throws -> Payment {
        Payment(
            id: try #require(PaymentID(CommandMessage.paymentID)),
            merchantID: .default,
            orderID: "order-1",
            customerID: "cust-1",
            amount: try #require(Money(minorUnits: 5_000, currency: .usd)),
            createdAt: try #require(Timestamp("2026-01-31T11:59:59Z")),
            status: .authorized,
            activeOperation: nil,
            bank: BankReferences(authorizationID: "auth_1"),
            authorizedAt: Timestamp("2026-01-31T12:00:00.000001Z"),
            expiresAt: Timestamp("2026-02-07T12:00:00Z")
        )
    }

    @Test("is the example of the contract, byte for byte")
    func example() throws {
        let payment = try payment()
        let body: JSONValue = .object(["status": .string("approved"), "authorization_id": .string("auth_1")])
        let reply = Reply(
            operation: .authorize,
            outcome: .succeeded,
            bankResponse: BankResponse(status: 200, body: .json(body)),
            payment: payment,
            paymentID: payment.id,
            idempotencyKey: try #require(IdempotencyKey("k-1"))
        )
        #expect(String(decoding: reply.encoded, as: UTF8.self) == Self.golden)
    }

    @Test("of a rejection has the code, and nothing of the bank")
    func rejection() throws {
        let reply = Reply(
            operation: .capture,
            outcome: .rejected,
            error: ReplyError(.invalidCommand, message: "amount: must be \"x\"/y"),
            payment: nil,
            paymentID: nil,
            idempotencyKey: try #require(IdempotencyKey("k/\"1\""))
        )
        #expect(
            String(decoding: reply.encoded, as: UTF8.self)
                == #"{"bank_response":null,"error":{"code":"invalid_command","message":"amount: must be \"x\"/y","retryable":false,"source":"processor"},"final":true,"idempotency_key":"k/\"1\"","operation":"capture","outcome":"rejected","payment":null,"payment_id":null}"#
        )
    }

    @Test("only an unknown outcome is not final", arguments: Reply.Outcome.allCases)
    func final(outcome: Reply.Outcome) throws {
        let reply = Reply(
            operation: .void,
            outcome: outcome,
            payment: nil,
            paymentID: nil,
            idempotencyKey: try #require(IdempotencyKey("k"))
        )
        #expect(reply.isFinal == (outcome != .unknown))
        #expect(try JSONParser.parse(reply.encoded)["final"] == .bool(outcome != .unknown))
    }

    /// docs/contract.md#codes, written down once more.
    private static let codes: [String: Bool] = [
        "invalid_command": false, "idempotency_key_reused": false, "payment_exists": false, "payment_not_found": true,
        "invalid_transition": false, "amount_mismatch": false, "payment_busy": true, "deadline_passed": true,
        "unknown_outcome": false,
    ]

    @Test("the codes are those of the contract, each retryable or not")
    func codes() {
        #expect(Set(RejectionCode.allCases.map(\.rawValue)) == Set(Self.codes.keys))
        for code in RejectionCode.allCases {
            #expect(ReplyError(code).isRetryable == Self.codes[code.rawValue])
            #expect(ReplyError(code).source == .processor)
            #expect(!ReplyError(code).message.isEmpty)
        }
        for code in BankCode.allCases {
            let error = ReplyError(BankRefusal(code: code.rawValue, message: "m"))
            #expect(error.isRetryable == (code == .insufficientFunds))
            #expect(error.source == .bank)
            #expect(error.code == code.rawValue)
        }
    }
}

@Suite("Outgoing reply", .timeLimit(.minutes(1)))
struct OutgoingReplyTests {
    private static let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

    private func command(messageID: String = "message-1") throws -> Command {
        let command = try PaymentFixture.command(.capture)
        return Command(
            paymentID: command.paymentID,
            merchantID: MerchantID(verified: "shop"),
            idempotencyKey: command.idempotencyKey,
            messageID: messageID,
            parameters: command.parameters,
            route: ReplyRoute(replyTo: "replies.a", correlationID: "c-1", traceparent: Self.trace)
        )
    }

    private func rejection() throws -> Reply {
        let command = try command()
        return Reply(
            operation: .capture,
            outcome: .rejected,
            error: ReplyError(.paymentNotFound),
            payment: nil,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
    }

    @Test("has the properties and headers of the contract", arguments: [false, true])
    func properties(replayed: Bool) throws {
        let operation = try PaymentFixture.operation(.capture, .succeeded)
        let body = Array("{}".utf8)
        let reply = OutgoingReply.final(body, of: operation, to: try command(), replayed: replayed)
        #expect(reply.replyTo == "replies.a")
        #expect(reply.message.type == "payment.capture.result.v1")
        #expect(reply.message.contentType == "application/json")
        #expect(reply.message.contentEncoding == nil)
        #expect(reply.message.correlationID == "c-1")
        #expect(reply.message.replyTo == nil)
        #expect(reply.message.body == body)
        #expect(
            reply.message.headers == [
                "payment-id": .string(CommandMessage.paymentID), "idempotency-key": .string("k-1"),
                "merchant-id": .string("shop"), "idempotent-replayed": .bool(replayed),
                "traceparent": .string(TraceParent.continuing(Self.trace, as: reply.message.messageID ?? "")),
            ]
        )
    }

    @Test("continues the caller's trace with a span of its own, the same one when it is sent again")
    func trace() throws {
        let operation = try PaymentFixture.operation(.capture, .succeeded)
        func trace(replayed: Bool) throws -> String {
            let reply = OutgoingReply.final([], of: operation, to: try command(), replayed: replayed)
            return try #require(reply.message.headers["traceparent"]?.string)
        }
        let continued = try trace(replayed: false)
        #expect(try trace(replayed: true) == continued)
        #expect(TraceParent.wellFormed(continued) == continued)
        #expect(continued.hasPrefix(Self.trace.prefix(36)) && continued.hasSuffix("-01"))
        #expect(continued != Self.trace)
    }

    @Test("says that the reply address was ignored, where one was named that is not allowed")
    func ignoredAddress() throws {
        for (address, isIgnored) in [
            (nil, false), ("replies.a", false), ("amq.gen-JzTY20BRgKO-HjmUJj0wLg", false), ("amq.gen-short", true),
            ("payments.commands.0", true), ("amq.rabbitmq.reply-to", true), ("", true),
        ] as [(String?, Bool)] {
            let message = CommandMessage.valid(.capture) { $0.replyTo = address }
            guard case .command(let command) = CommandDecoder().decode(message) else {
                Issue.record("not decoded")
                return
            }
            let reply = OutgoingReply.unstored(try rejection(), to: command)
            #expect(reply.replyTo == (isIgnored ? nil : address))
            #expect(
                reply.message.headers["reply-to-ignored"] == (isIgnored ? .bool(true) : nil),
                "\(address ?? "none")"
            )
        }
    }

    @Test("tells the events of its operation until they are reported, and not to a duplicate")
    func events() throws {
        let payment = try PaymentFixture.held(by: .capture)
        let reply = Reply(
            operation: .capture,
            outcome: .succeeded,
            payment: payment,
            paymentID: payment.id,
            idempotencyKey: try command().idempotencyKey
        )
        var operation = try PaymentFixture.operation(.capture, .succeeded)
        operation.reply = reply.encoded
        #expect(OutgoingReply.final(reply.encoded, of: operation, to: try command(), replayed: true).events.count == 1)
        #expect(OutgoingReply.attached(reply.encoded, of: operation, to: try command()).events.isEmpty)
        operation.isNotified = true
        #expect(OutgoingReply.final(reply.encoded, of: operation, to: try command(), replayed: true).events.isEmpty)
    }

    @Test("has a message id that is stable per operation and phase")
    func messageIDs() throws {
        let operation = try PaymentFixture.operation(.capture, .succeeded)
        func id(_ reply: OutgoingReply) throws -> String { try #require(reply.message.messageID) }
        let first = try id(.final([], of: operation, to: try command(), replayed: false))
        let again = try id(.final([], of: operation, to: try command(messageID: "other"), replayed: true))
        let unknown = try id(.provisional(try rejection(), of: operation, to: try command()))
        let unstored = try id(.unstored(try rejection(), to: try command()))
        #expect(first == again)
        #expect(first != unknown)
        #expect(try id(.unstored(try rejection(), to: try command())) == unstored)
        #expect(try id(.unstored(try rejection(), to: try command(messageID: "other"))) != unstored)
    }

    @Test(
        "has a message id that AMQP can carry, however long the command's is",
        arguments: [
            String(repeating: "x", count: 128), String(repeating: "é", count: 127),
            String(repeating: "é", count: 126) + "x", "m",
        ]
    )
    func longMessageIDs(text: String) throws {
        let unstored = OutgoingReply.unstored(try rejection(), to: try command(messageID: text))
        let id = try #require(unstored.message.messageID)
        #expect(id.utf8.count <= 255)
        #expect(id.hasSuffix("-rejected"))
        let other = OutgoingReply.unstored(try rejection(), to: try command(messageID: text + "y"))
        #expect(other.message.messageID != id)
        let message = CommandMessage.valid {
            $0.messageID = text
            $0.body = []
        }
        guard case .answerable(let invalid) = CommandDecoder().decode(message) else {
            Issue.record("not answerable")
            return
        }
        #expect(OutgoingReply(to: invalid).message.messageID == id)
    }

    @Test("`idempotent-replayed` is false only for what completes or is not stored")
    func replayed() throws {
        let operation = try PaymentFixture.operation(.capture, .unknown)
        func flag(_ reply: OutgoingReply) -> HeaderValue? { reply.message.headers["idempotent-replayed"] }
        // An unknown reply and its final one together have at most one false (docs/contract.md#replies).
        #expect(flag(.provisional(try rejection(), of: operation, to: try command())) == .bool(true))
        #expect(flag(.unstored(try rejection(), to: try command())) == .bool(false))
    }

    @Test("to an invalid command leaves out what was invalid")
    func invalid() throws {
        let message = CommandMessage.valid {
            $0.headers[HeaderName.paymentID] = .integer(1)
            $0.headers[HeaderName.merchantID] = .string("no spaces")
            $0.messageID = nil
        }
        guard case .answerable(let command) = CommandDecoder().decode(message) else {
            Issue.record("not answerable")
            return
        }
        let reply = OutgoingReply(to: command)
        #expect(reply.replyTo == nil)
        #expect(reply.message.type == "payment.authorize.result.v1")
        let id = try #require(reply.message.messageID)
        #expect(id == OutgoingReply(to: command).message.messageID)
        #expect(id.utf8.count <= 255)
        #expect(reply.message.correlationID == nil)
        #expect(reply.message.headers == ["idempotency-key": .string("k-1"), "idempotent-replayed": .bool(false)])
        let body = try JSONParser.parse(reply.message.body)
        #expect(body["error"]?["code"]?.string == "invalid_command")
        #expect(body["error"]?["message"]?.string?.hasPrefix("payment-id: ") == true)
        #expect(body["payment_id"] == .null)
        #expect(body["payment"] == .null)
        #expect(body["idempotency_key"]?.string == "k-1")
    }
}

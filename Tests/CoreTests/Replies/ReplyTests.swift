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

import TestSupport
import Testing

@testable import Core

@Suite("What is written as JSON without a value in between")
struct JSONWriterTests {
    @Test("has the bytes of the value, whatever is in it", arguments: [false, true])
    func canonical(isComplete: Bool) throws {
        let payment = Self.payment(isComplete: isComplete)
        let texts = [
            "", "plain", "quote \" and \\ and / and \u{1}\u{8}\t\n\u{1f}", "ünïcödé 👛",
            String(repeating: "x", count: 300),
        ]
        for text in texts {
            let body = JSONValue.object(["z": .string(text), "a": .array([.null, .bool(true)])])
            let reply = Reply(
                operation: .refund,
                outcome: .declined,
                error: isComplete ? ReplyError(.invalidCommand, message: text) : nil,
                bankResponse: BankResponse(status: 402, body: isComplete ? .json(body) : .text(text)),
                payment: isComplete ? payment : nil,
                paymentID: isComplete ? payment.id : nil,
                idempotencyKey: IdempotencyKey(verified: text)
            )
            let parsed = try JSONParser.parse(reply.encoded)
            #expect(parsed.encoded == reply.encoded)
            #expect(parsed["idempotency_key"] == .string(text))
        }
        #expect(payment.json["amount"] == .integer(Int64.max))
        #expect(payment.json["id"] == .string(payment.id.description))
        #expect(payment.json["bank"]?["capture_id"] == (isComplete ? .string("cap_1") : .null))
        #expect(payment.json["expires_at"] == (isComplete ? .string("2026-01-31T23:59:59.000001Z") : .null))
    }

    private static func payment(isComplete: Bool) -> Payment {
        let time = Timestamp("2026-01-31T23:59:59.000001Z")
        return Payment(
            id: PaymentID(UniqueID(high: 0x0123_4567_89ab_cdef, low: 0xfedc_ba98_7654_3210)),
            merchantID: .default,
            orderID: "o \"1\"",
            customerID: "c\\1",
            amount: Money(verified: .max, currency: .usd),
            createdAt: Timestamp(microseconds: 0),
            activeOperation: nil,
            bank: isComplete ? BankReferences(authorizationID: "auth_1", captureID: "cap_1") : BankReferences(),
            authorizedAt: isComplete ? time : nil,
            expiresAt: isComplete ? time : nil
        )
    }
}

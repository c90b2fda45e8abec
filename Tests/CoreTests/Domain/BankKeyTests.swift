import Core
import Testing

@Suite("The key that the bank knows an operation by", .timeLimit(.minutes(1)))
struct BankKeyTests {
    private static let payment = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"

    private func key(
        merchant: String = "default",
        key: String = "k-1",
        kind: OperationKind = .authorize,
        payment: String = payment
    ) throws -> String {
        BankKey.derived(
            merchantID: try #require(MerchantID(merchant)),
            idempotencyKey: try #require(IdempotencyKey(key)),
            kind: kind,
            paymentID: try #require(PaymentID(payment))
        )
    }

    @Test("is derived from the command alone, in a form that never changes")
    func vector() throws {
        // Computed by Python: base64.urlsafe_b64encode(hashlib.sha256(b"".join(struct.pack(">I", len(f)) + f …)).digest()).
        #expect(try key() == "pp1-uHeVl-0xxia1PinefjVcS7h_LUSwo99rwrvl11076mc")
        #expect(
            try key(merchant: "shop-2", key: "clé ✓", kind: .refund, payment: "FFFFFFFF-0000-4000-8000-00000000000A")
                == "pp1-gwlWTQGALyXhqBwZKSZANAx1wv_a9wXNvYECP6JWGqM"
        )
    }

    @Test("has 47 characters that every bank takes")
    func form() throws {
        let text = try key(key: String(repeating: "x", count: 255))
        #expect(text.utf8.count == 47)
        #expect(text.hasPrefix("pp1-"))
        #expect(text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f })
    }

    @Test("differs where anything of the command differs, and where fields only seem to run into each other")
    func distinct() throws {
        let keys = [
            try key(), try key(merchant: "other"), try key(key: "k-2"), try key(kind: .capture),
            try key(payment: "0190c3a1-7b2d-7c3e-8f4a-123456789abd"), try key(merchant: "defaultk", key: "-1"),
        ]
        #expect(Set(keys).count == keys.count)
    }
}

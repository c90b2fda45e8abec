import Testing

@testable import Core

@Suite("Texts and keys", .timeLimit(.minutes(1)))
struct TextTests {
    @Test("length counts Unicode scalars, not characters or bytes")
    func length() {
        #expect(TextRule.holds("e\u{301}", length: 2...2))
        #expect(TextRule.holds("\u{1f468}\u{200d}\u{1f469}", length: 3...3))
        #expect(!TextRule.holds("", length: 1...5))
        #expect(!TextRule.holds("abcdef", length: 1...5))
        // One character, 300 scalars.
        #expect(IdempotencyKey("e" + String(repeating: "\u{301}", count: 299)) == nil)
    }

    @Test("control characters are C0, DEL and C1, and nothing else")
    func controls() throws {
        for value in UInt32(0)...0x2ff {
            let scalar = try #require(Unicode.Scalar(value))
            let isControl = value < 0x20 || (0x7f...0x9f).contains(value)
            #expect(
                TextRule.holds(String(Character(scalar)), length: 1...1) == !isControl,
                "U+\(String(value, radix: 16))"
            )
        }
    }

    @Test("keys are equal and ordered byte by byte, as the database has them")
    func keys() throws {
        let composed = try #require(IdempotencyKey("caf\u{e9}"))
        let decomposed = try #require(IdempotencyKey("cafe\u{301}"))
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        #expect((composed < decomposed) != (decomposed < composed))
        let kelvin = try #require(IdempotencyKey("\u{212a}"))
        let deadLetter = try #require(IdempotencyKey("K"))
        #expect(kelvin != deadLetter)
        #expect(deadLetter < kelvin)
    }

    @Test("orders and customers too: what the fingerprint tells apart is not equal")
    func parameters() throws {
        func parameters(_ order: String, _ customer: String) throws -> AuthorizeParameters {
            AuthorizeParameters(
                orderID: order,
                customerID: customer,
                amount: try #require(Money(minorUnits: 1, currency: .usd)),
                card: try #require(CardDetails(number: "411111111111", cvv: "123", expiryMonth: 1, expiryYear: 2030))
            )
        }
        #expect(try parameters("caf\u{e9}", "c") != parameters("cafe\u{301}", "c"))
        #expect(try parameters("o", "caf\u{e9}") != parameters("o", "cafe\u{301}"))
        #expect(try parameters("o", "c") == parameters("o", "c"))
    }

    @Test("money has no sign and no zero")
    func money() {
        #expect(Money(minorUnits: 0, currency: .usd) == nil)
        #expect(Money(minorUnits: -1, currency: .usd) == nil)
        #expect(Money(minorUnits: .min, currency: .usd) == nil)
        #expect(Money(minorUnits: .max, currency: .usd)?.minorUnits == .max)
    }

    @Test("a page cursor comes back from its text, and only a sane one does")
    func cursor() throws {
        let id = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"
        let cursor = PageCursor(
            at: Timestamp(microseconds: 1_900_000_000_000_001),
            id: try #require(PaymentID(id))
        )
        #expect(PageCursor(cursor.description) == cursor)
        for text in [
            "", ".", "1", id, "1.", "1.x", "x.\(id)", "1.\(id).1", "1.5.\(id)", "\(Int64.min).\(id)",
            "\(Int64.max).\(id)",
            "-1.\(id)", "99999999999999999999.\(id)",
        ] {
            #expect(PageCursor(text) == nil, "\(text)")
        }
    }
}

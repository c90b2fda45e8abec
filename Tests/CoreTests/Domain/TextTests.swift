import Simulation
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

@Suite("Unique id", .timeLimit(.minutes(1)))
struct UniqueIDTests {
    @Test("reads either case, writes lower case")
    func text() throws {
        let id = try #require(UniqueID("0190C3A1-7b2d-7C3e-8f4a-123456789aBc"))
        #expect(id.high == 0x0190_c3a1_7b2d_7c3e)
        #expect(id.low == 0x8f4a_1234_5678_9abc)
        #expect(id.description == "0190c3a1-7b2d-7c3e-8f4a-123456789abc")
        #expect(UniqueID("ffffffff-ffff-ffff-ffff-ffffffffffff")?.high == .max)
        #expect(UniqueID("00000000-0000-0000-0000-000000000000")?.low == 0)
    }

    @Test(
        "refuses anything else",
        arguments: [
            "", "0190c3a1", "0190c3a17b2d7c3e8f4a123456789abc", "0190c3a1-7b2d-7c3e-8f4a-123456789ab",
            "0190c3a1-7b2d-7c3e-8f4a-123456789abcd", "0190c3a1-7b2d-7c3e-8f4a_123456789abc",
            "0190c3a1-7b2d-7c3e-8f4a123456789-abc", "g190c3a1-7b2d-7c3e-8f4a-123456789abc",
            "{0190c3a1-7b2d-7c3e-8f4a-123456789abc}", "urn:uuid:0190c3a1-7b2d-7c3e-8f4a-123456789abc",
            "0190c3a1-7b2d-7c3e-8f4a-123456789abc\n", "------------------------------------",
            "0190c3a1-7b2d-7c3e-8f4a-12345678９abc",
        ]
    )
    func refuses(text: String) {
        #expect(UniqueID(text) == nil)
    }

    @Test("what it writes it reads")
    func roundTrip() {
        var generator = SplitMix64(seed: 2)
        let ids = (0..<5_000).map { _ in UniqueID(high: generator.next(), low: generator.next()) }
        #expect(ids.allSatisfy { UniqueID($0.description) == $0 })
        #expect(ids.allSatisfy { $0.description.utf8.count == 36 })
    }

    @Test("version 7 is ordered by time, and marked as what it is")
    func version7() {
        let early = UniqueID.version7(milliseconds: 1_700_000_000_000, random: (.max, .max))
        let late = UniqueID.version7(milliseconds: 1_700_000_000_001, random: (0, 0))
        #expect(early < late)
        #expect(early.description < late.description)
        #expect(early.description.hasPrefix("018bcfe5-6800-7"))
        #expect(early.low >> 62 == 0b10)
        #expect(late.low >> 62 == 0b10)
        let time = Timestamp(microseconds: 1_700_000_000_000_999)
        #expect(SeededRandom(seed: 1).identifier(at: time).high >> 16 == 1_700_000_000_000)
        #expect(SeededRandom(seed: 1).identifier(at: Timestamp(microseconds: -5)).high >> 16 == 0)
    }
}

import Simulation
import TestSupport
import Testing

@testable import Core

@Suite("JSON parser", .timeLimit(.minutes(1)))
struct JSONParserTests {
    @Test(
        "reads what RFC 8259 calls JSON",
        arguments: [
            ("null", JSONValue.null),
            ("true", .bool(true)),
            (" \t\r\nfalse \n", .bool(false)),
            ("0", .number("0")),
            ("-0", .number("-0")),
            ("5000", .number("5000")),
            ("-12.50", .number("-12.50")),
            ("5e3", .number("5e3")),
            ("5E+3", .number("5E+3")),
            ("1.0e-2", .number("1.0e-2")),
            ("99999999999999999999999999", .number("99999999999999999999999999")),
            ("\"\"", .string("")),
            ("\"a\\\"\\\\\\/\\b\\f\\n\\r\\t\"", .string("a\"\\/\u{8}\u{c}\n\r\t")),
            ("\"\\u0041\\u00e9\\u6F22\"", .string("Aé漢")),
            ("\"\\ud83d\\udcb3\"", .string("\u{1f4b3}")),
            ("\"\\u0000\"", .string("\0")),
            ("\"é漢\u{1f4b3}\u{7f}\"", .string("é漢\u{1f4b3}\u{7f}")),
            ("\"plain \\u00e9 after\"", .string("plain é after")),
            ("[]", .array([])),
            ("[ 1 , \"a\" , null ]", .array([.number("1"), .string("a"), .null])),
            ("{}", .object([:])),
            ("{ \"a\" : { \"b\" : [ ] } }", .object(["a": .object(["b": .array([])])])),
            ("{\"\":1}", .object(["": .number("1")])),
        ]
    )
    func reads(text: String, value: JSONValue) throws {
        #expect(try JSONParser.parse(Array(text.utf8)) == value)
    }

    @Test(
        "refuses what is no JSON, and says why",
        arguments: [
            ("", JSONError.unexpectedEnd), ("   ", .unexpectedEnd), ("nul", .unexpectedEnd), ("nulL", .malformed),
            ("True", .malformed), ("'a'", .malformed), ("undefined", .malformed), ("NaN", .malformed),
            ("01", .trailingContent), ("-", .unexpectedEnd), ("+1", .malformed), (".5", .malformed),
            ("5.", .unexpectedEnd), ("5.e1", .malformed), ("1e", .unexpectedEnd), ("1e+", .unexpectedEnd),
            ("0x10", .trailingContent), ("--1", .malformed), ("1 2", .trailingContent), ("{} {}", .trailingContent),
            ("{}x", .trailingContent), ("\u{feff}{}", .malformed),
            ("\"", .unexpectedEnd), ("\"a", .unexpectedEnd), ("\"\\", .unexpectedEnd), ("\"\\u12", .unexpectedEnd),
            ("\"\\x41\"", .malformed), ("\"\\u12g4\"", .malformed), ("\"\n\"", .malformed),
            ("\"\\n\u{1}\"", .malformed),
            ("\"\\ud83d\"", .malformed), ("\"\\udcb3\"", .malformed), ("\"\\ud83d\\u0041\"", .malformed),
            ("\"\\ud83dx\"", .malformed), ("\"\\udcb3\\ud83d\"", .malformed), ("\"\\ud83d\\ud83d\"", .malformed),
            ("[", .unexpectedEnd), ("[1", .unexpectedEnd), ("[1,", .unexpectedEnd), ("[1,]", .malformed),
            ("[,1]", .malformed), ("[1 2]", .malformed), ("]", .malformed),
            ("{", .unexpectedEnd), ("{\"a\"", .unexpectedEnd), ("{\"a\":", .unexpectedEnd),
            ("{\"a\":1", .unexpectedEnd),
            ("{\"a\":1,", .unexpectedEnd), ("{\"a\":1,}", .malformed), ("{a:1}", .malformed), ("{1:1}", .malformed),
            ("{\"a\" 1}", .malformed), ("{\"a\":1 \"b\":2}", .malformed), ("{,}", .malformed), ("// c\n{}", .malformed),
            ("{\"a\":1,\"a\":2}", .duplicateName), ("{\"a\":1,\"\\u0061\":2}", .duplicateName),
            ("{\"x\":{\"a\":1,\"b\":2,\"a\":1}}", .duplicateName),
        ]
    )
    func refuses(text: String, error: JSONError) {
        #expect(throws: error) { try JSONParser.parse(Array(text.utf8)) }
    }

    @Test(
        "refuses what is not UTF-8",
        arguments: [
            [0x80], [0xc3], [0xc0, 0xaf], [0xe0, 0x80, 0x80], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff],
            [0xf0, 0x9f, 0x92],
        ] as [[UInt8]]
    )
    func refusesOtherEncodings(bytes: [UInt8]) {
        let quote = UInt8(ascii: "\"")
        #expect(throws: JSONError.notUTF8) { try JSONParser.parse([quote] + bytes + [quote]) }
        #expect(throws: JSONError.notUTF8) { try JSONParser.parse([quote] + Array("\\n".utf8) + bytes + [quote]) }
        #expect(throws: JSONError.notUTF8) {
            try JSONParser.parse(Array("{\"".utf8) + bytes + Array("\":1}".utf8))
        }
    }

    @Test("nesting is bounded, and nothing uses up the stack")
    func depth() throws {
        let limit = JSONParser.maximumDepth
        func nested(_ depth: Int, _ open: String, _ close: String) -> [UInt8] {
            Array((String(repeating: open, count: depth) + String(repeating: close, count: depth)).utf8)
        }
        #expect(throws: Never.self) { try JSONParser.parse(nested(limit, "[", "]")) }
        #expect(throws: JSONError.tooDeep) { try JSONParser.parse(nested(limit + 1, "[", "]")) }
        #expect(throws: JSONError.tooDeep) { try JSONParser.parse(nested(500_000, "[", "]")) }
        #expect(throws: JSONError.tooDeep) { try JSONParser.parse(nested(100_000, "{\"a\":", "}")) }
    }

    @Test(
        "an integer is an integer token that fits",
        arguments: [
            ("5000", 5_000), ("-1", -1), ("0", 0), ("9223372036854775807", Int64.max),
            ("-9223372036854775808", Int64.min), ("9223372036854775808", nil), ("5000.0", nil), ("5e3", nil),
            ("\"5000\"", nil), ("true", nil), ("null", nil), ("[1]", nil),
        ] as [(String, Int64?)]
    )
    func integers(text: String, value: Int64?) throws {
        #expect(try JSONParser.parse(Array(text.utf8)).integer == value)
    }

    @Test("the error says nothing of the text")
    func errorsAreSilent() {
        #expect(throws: JSONError.malformed) { try JSONParser.parse(Array("{\"number\":4111111111111111x}".utf8)) }
        for error in [JSONError.unexpectedEnd, .malformed, .notUTF8, .duplicateName, .tooDeep, .trailingContent] {
            #expect(!error.description.contains("4111"))
            #expect(!error.description.isEmpty)
        }
    }
}

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

@Suite("Canonical JSON", .timeLimit(.minutes(1)))
struct JSONEncodingTests {
    @Test(
        "is compact, sorted by name at every level, with as few escapes as possible",
        arguments: [
            (
                "{ \"b\" : 1 , \"a\" : { \"d\" : [ 1 , 2 ] , \"c\" : null } }",
                "{\"a\":{\"c\":null,\"d\":[1,2]},\"b\":1}"
            ),
            ("{\"B\":1,\"a\":2,\"\":3,\"_\":4,\"é\":5,\"z\":6}", "{\"\":3,\"B\":1,\"_\":4,\"a\":2,\"z\":6,\"é\":5}"),
            ("\"\\u002f\\/\"", "\"//\""),
            ("\"\\u0022\\u005c\"", "\"\\\"\\\\\""),
            ("\"\\u0000\\u001f\\u0008\\u000c\\u000a\\u000d\\u0009\"", "\"\\u0000\\u001f\\b\\f\\n\\r\\t\""),
            ("\"\\u00e9\\ud83d\\udcb3\"", "\"é\u{1f4b3}\""),
            ("[1.50,5e3,-0]", "[1.50,5e3,-0]"),
            ("[true,false,null]", "[true,false,null]"),
        ]
    )
    func canonical(text: String, expected: String) throws {
        let encoded = try JSONParser.parse(Array(text.utf8)).encoded
        #expect(String(decoding: encoded, as: UTF8.self) == expected)
    }

    @Test("what was written reads back as the same value, and is written the same again")
    func roundTrip() throws {
        var generator = SplitMix64(seed: 1)
        for _ in 0..<3_000 {
            let value = JSONValue.random(depth: 3, using: &generator)
            let encoded = value.encoded
            let parsed = try JSONParser.parse(encoded)
            guard parsed == value, parsed.encoded == encoded else {
                Issue.record("not the same: \(String(decoding: encoded, as: UTF8.self))")
                return
            }
        }
    }
}

extension JSONValue {
    fileprivate static func random(depth: Int, using generator: inout SplitMix64) -> JSONValue {
        switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &generator) {
        case 0: return .null
        case 1: return .bool(.random(using: &generator))
        case 2: return .integer(Int64.random(in: .min ... .max, using: &generator))
        case 3:
            return .number(
                "\(Int.random(in: -9...9, using: &generator)).5e\(Int.random(in: 0...99, using: &generator))"
            )
        case 4: return .string(text(using: &generator))
        case 5:
            return .array(
                (0..<Int.random(in: 0...4, using: &generator)).map { _ in random(depth: depth - 1, using: &generator) }
            )
        default:
            var members: [String: JSONValue] = [:]
            for _ in 0..<Int.random(in: 0...4, using: &generator) {
                members[text(using: &generator)] = random(depth: depth - 1, using: &generator)
            }
            return .object(members)
        }
    }

    private static func text(using generator: inout SplitMix64) -> String {
        let ranges: [ClosedRange<UInt32>] = [0...0x1f, 0x20...0x7e, 0x7f...0xff, 0x4e00...0x4eff, 0x1f300...0x1f6ff]
        var text = ""
        for _ in 0..<Int.random(in: 0...6, using: &generator) {
            let range = ranges[Int.random(in: ranges.indices, using: &generator)]
            text.unicodeScalars.append(Unicode.Scalar(UInt32.random(in: range, using: &generator)) ?? "?")
        }
        return text
    }
}

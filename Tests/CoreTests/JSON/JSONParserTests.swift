import Core
import Testing

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

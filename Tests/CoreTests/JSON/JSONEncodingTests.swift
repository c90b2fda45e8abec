import Core
import Simulation
import Testing

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

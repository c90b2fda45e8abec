import Testing

@testable import BankSimulator

@Suite("Parsing JSON", .timeLimit(.minutes(1)))
struct JSONParserTests {
    @Test(
        "every kind of value is read",
        arguments: [
            ("null", .null), ("true", .bool(true)), (" false ", .bool(false)),
            ("0", .number("0")), ("-0.5e+10", .number("-0.5e+10")), ("1E5", .number("1E5")),
            (#""""#, .string("")), (#""é€😀""#, .string("é€😀")),
            (#""a\"\\\/\b\f\n\r\t\u0041\u00e9""#, .string("a\"\\/\u{8}\u{c}\n\r\tAé")),
            (#""\ud83d\ude00""#, .string("😀")),
            (#""\ud83d\u0041\ude00x\ud83d""#, .string("\u{FFFD}A\u{FFFD}x\u{FFFD}")),
            ("[]", .array([])), ("[ 1 , [ ] ]", .array([.number("1"), .array([])])),
            ("{}", .object([:])), (#"{ "a" : {"b":[null]} }"#, .object(["a": .object(["b": .array([.null])])])),
            (#"{"a":1,"a":2}"#, .object(["a": .number("2")])),
        ] as [(String, JSONValue)]
    )
    func values(text: String, expected: JSONValue) throws {
        #expect(try JSONParser.onlyValue(in: Array(text.utf8)) == expected)
    }

    @Test(
        "what is no JSON is refused",
        arguments: [
            "", " ", "nul", "nulL", "tru", "-", "01", "+1", "1.", ".5", "1e", "1e+", "0x1", "NaN",
            "[", "[1", "[1,", "[1,]", "[,]", "[1 2]", "]", "}", ",",
            "{", #"{"a""#, #"{"a":"#, #"{"a":1"#, #"{"a":1,"#, #"{"a":1,}"#, "{a:1}", "{1:1}", #"{"a" 1}"#,
            #"""#, #""a"#, #""\"#, #""\x""#, #""\u00""#, #""\u00zz""#, #""\ud83d\u12""#, "\"\u{1}\"", "\"\\n\u{1}\"",
        ]
    )
    func malformed(text: String) {
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.onlyValue(in: Array(text.utf8)) }
    }

    @Test("the first value can be had without what follows it")
    func trailing() throws {
        let bytes = Array(#"{"a":1} rest"#.utf8)
        #expect(try JSONParser.firstValue(in: bytes) == .object(["a": .number("1")]))
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.onlyValue(in: bytes) }
    }

    @Test("bytes that are no UTF-8 become replacement characters")
    func invalidUTF8() throws {
        #expect(try JSONParser.onlyValue(in: [0x22, 0xFF, 0x61, 0x22]) == .string("\u{FFFD}a"))
    }

    @Test("depth is bounded", arguments: ["[", "{\"a\":"])
    func depth(opening: String) throws {
        let million = Array(String(repeating: opening, count: 1_000_000).utf8)
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.firstValue(in: million) }
        let count = JSONParser.maximumDepth - 1
        let nested = String(repeating: "[", count: count) + "1" + String(repeating: "]", count: count)
        #expect(throws: Never.self) { try JSONParser.onlyValue(in: Array(nested.utf8)) }
    }

    @Test("no beginning and no mutation of a body brings it down", arguments: UInt64(0)..<200)
    func mutations(seed: UInt64) {
        let text = #"{"card_number":"4111\u00e9","cvv":"\ud83d\ude00","amount":-12.5e3,"x":[true,{"y":null}]}"#
        let body = Array(text.utf8)
        var generator = SplitMix64(seed: seed)
        for length in body.indices {
            var mutant = Array(body.prefix(length))
            if let index = mutant.indices.randomElement(using: &generator) {
                mutant[index] = UInt8.random(in: 0...255, using: &generator)
            }
            // Whatever it says, it must say it: a trap would end the test run.
            if let value = try? JSONParser.firstValue(in: mutant) { #expect(value == value) }
        }
    }
}

@Suite("Writing JSON", .timeLimit(.minutes(1)))
struct JSONWriterTests {
    @Test("objects are compact and keep their order")
    func object() {
        let text = JSONWriter.object { writer in
            writer.member("b", "x")
            writer.member("a", Int64.min)
            writer.member("n", nil as Int64?)
            writer.member("s", nil as String?)
            writer.member("t", true)
            writer.member("p", 0.25)
            writer.member("l", [1, 2] as [Int64]) { $0.member("i", $1) }
            writer.member("e", [] as [Int64]) { $0.member("i", $1) }
            writer.member("z", Int64(0))
        }
        let expected =
            #"{"b":"x","a":-9223372036854775808,"n":null,"s":null,"t":true,"p":0.25,"l":[{"i":1},{"i":2}],"e":[],"z":0}"#
        #expect(text == expected)
    }

    @Test("strings come back from the parser as they were")
    func escapes() throws {
        let scalars = (0..<0x100).compactMap(Unicode.Scalar.init) + ["€", "😀", "\u{2028}"]
        var value = ""
        value.unicodeScalars.append(contentsOf: scalars)
        let text = JSONWriter.object { $0.member("v", value) }
        #expect(try JSONParser.onlyValue(in: Array(text.utf8)) == .object(["v": .string(value)]))
    }
}

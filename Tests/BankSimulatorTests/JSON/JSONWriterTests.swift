import Testing

@testable import BankSimulator

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

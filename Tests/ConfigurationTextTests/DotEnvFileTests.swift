import ConfigurationText
import Testing

@Suite("The .env file", .timeLimit(.minutes(1)))
struct DotEnvFileTests {
    @Test(
        "lines are read as a shell would",
        arguments: [
            ("A=b", "b"), ("A = b ", "b"), ("export A=b", "b"), ("A=", ""), ("A='b c'", "b c"), ("A=\"b c\"", "b c"),
            ("A=b # comment", "b"), ("A=b#c", "b#c"), ("A='b' # comment", "b"), ("A=\"a\\\"b\\\\\\$\"", "a\"b\\$"),
            ("A='a\\b'", "a\\b"), ("A=a=b", "a=b"), ("  A=b", "b"), ("A=b c", "b c"), ("A=# comment", ""),
        ]
    )
    func lines(line: String, expected: String) {
        let file = DotEnvFile(line)
        #expect(file.variables == ["A": expected])
        #expect(file.problems.isEmpty)
    }

    @Test(
        "what is no assignment is a problem that names the line and not what it holds",
        arguments: ["nonsense", "=b", "1A=b", "A B=c", "A-B=c", "A='b", "A=\"b", "A='b'c", "A='b'#c"]
    )
    func malformed(line: String) {
        let file = DotEnvFile("# first\n\n\(line)\nB=1")
        #expect(file.variables == ["B": "1"])
        #expect(file.problems == [".env line 3: is not KEY=value, KEY='value' or KEY=\"value\""])
    }

    @Test("line feeds of every kind end a line, and the last of several assignments counts")
    func newlines() {
        #expect(DotEnvFile("A=1\r\nB=2\nA=3\r\n").variables == ["A": "3", "B": "2"])
    }
}

import Testing

@testable import Publisher

@Suite("The file .env", .timeLimit(.minutes(1)))
struct EnvironmentFileTests {
    @Test(
        "assigns as a shell does",
        arguments: [
            ("A=b", "A", "b"), (" A = b ", "A", "b"), ("A=", "A", ""), ("A=b=c", "A", "b=c"), ("export A=b", "A", "b"),
            ("A='b # c' # d", "A", "b # c"), ("A=\"b\"", "A", "b"), ("A=b # c", "A", "b"), ("A=b#c", "A", "b#c"),
            ("A=# c", "A", ""), ("A=b\r", "A", "b"),
        ]
    )
    func assignment(line: String, name: String, value: String) throws {
        let assignment = try #require(EnvironmentFile.assignment(line))
        #expect(assignment.name == name)
        #expect(assignment.value == value)
    }

    @Test("passes over what is no assignment", arguments: ["", "#A=b", "# A=b", "A", "=b", "a b=c", "A='b", "  "])
    func none(line: String) {
        #expect(EnvironmentFile.assignment(line) == nil)
    }

    @Test("need not be there, and of two assignments the last counts")
    func file() throws {
        #expect(try EnvironmentFile.variables(path: "/nowhere/.env") == [:])
        let file = try TemporaryFile("A=1\n\nB=2\nA=3")
        #expect(try EnvironmentFile.variables(path: file.path) == ["A": "3", "B": "2"])
        #expect(throws: FileProblem.self) { try EnvironmentFile.variables(path: "/") }
    }
}

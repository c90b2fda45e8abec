import PaymentCommands
import Testing

@testable import Publisher

@Suite("The file .env", .timeLimit(.minutes(1)))
struct EnvironmentFileTests {
    @Test("need not be there, is read as the processor reads it, and of two assignments the last counts")
    func file() throws {
        #expect(try EnvironmentFile.variables(path: "/nowhere/.env") == [:])
        let file = try TemporaryFile("A=1\n\nnonsense\nB=\"2\\\"\" # two\nA=3")
        #expect(try EnvironmentFile.variables(path: file.path) == ["A": "3", "B": "2\""])
        #expect(throws: FileProblem.self) { try EnvironmentFile.variables(path: "/") }
    }
}

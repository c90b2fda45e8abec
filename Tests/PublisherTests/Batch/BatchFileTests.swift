import Core
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A batch file", .timeLimit(.minutes(1)))
struct BatchFileTests {
    @Test("is read whole, blank lines not counted as commands but as lines")
    func entries() throws {
        let file = try TemporaryFile("\n\(Fixture.authorizeLine(key: "a"))\r\n  \t\n\(Fixture.authorizeLine(key: "b"))")
        let entries = try BatchFile.read(file.path)
        #expect(entries.map(\.line) == [2, 4])
        #expect(entries.map(\.command.idempotencyKey) == ["a", "b"])
    }

    @Test("with bad lines names every one of them by file and line")
    func badLines() throws {
        let file = try TemporaryFile("{}\n\(Fixture.authorizeLine())\nx\n")
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.status == .usage)
        #expect(
            failure?.details == [
                "\(file.path):1: operation: is missing", "\(file.path):3: the line is not valid JSON",
            ]
        )
        #expect(failure?.lines == ["nothing was sent, because 2 lines are bad"])
    }

    @Test("with very many bad lines names the first and counts the others")
    func manyBadLines() throws {
        let file = try TemporaryFile(String(repeating: "{}\n", count: 1_000))
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.details.count == BatchFile.maximumProblems + 1)
        #expect(failure?.details.last == "… and 980 more bad lines")
    }

    @Test("with a line that nobody can mean names that one")
    func longLine() throws {
        let file = try TemporaryFile(String(repeating: "x", count: 600_000) + "\n")
        let failure = #expect(throws: Failure.self) { try BatchFile.read(file.path) }
        #expect(failure?.details == ["\(file.path):1: the line is too long"])
    }

    @Test("that is not there is named, with the reason", arguments: ["/nowhere/at/all", "/"])
    func unreadable(path: String) {
        let failure = #expect(throws: Failure.self) { try BatchFile.read(path) }
        #expect(failure?.status == .usage)
        #expect(failure?.lines.first?.hasPrefix("\(path) cannot be read: ") == true)
    }
}

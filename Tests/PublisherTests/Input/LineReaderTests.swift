import Glibc
import PaymentCommands
import Testing

@testable import Publisher

@Suite("A line reader", .timeLimit(.minutes(1)))
struct LineReaderTests {
    @Test(
        "gives every line once, the last one without a line feed too",
        arguments: [
            ("", []), ("a", ["a"]), ("a\n", ["a"]), ("a\nb", ["a", "b"]), ("\n\na\n", ["", "", "a"]),
            ("a\r\nb\n", ["a\r", "b"]),
        ]
    )
    func lines(text: String, expected: [String]) throws {
        #expect(try read(text, maximumLength: 10) == expected)
    }

    @Test("puts lines together that lie across its blocks")
    func acrossBlocks() throws {
        let lines = (0..<300).map { String(repeating: "x", count: 997) + String($0) }
        #expect(try read(lines.joined(separator: "\n"), maximumLength: 2_000) == lines)
    }

    @Test("skips a line that is too long, and goes on behind it")
    func tooLong() throws {
        let long = String(repeating: "x", count: 200_000)
        #expect(try read("a\n\(long)\nb\n", maximumLength: 100) == ["a", nil, "b"])
    }

    @Test("says in the system's words why a file cannot be read")
    func unreadable() throws {
        let directory = open("/", O_RDONLY)
        defer { close(directory) }
        #expect(throws: FileProblem(number: EISDIR)) {
            var reader = LineReader(descriptor: directory, maximumLength: 10)
            _ = try reader.next()
        }
    }

    /// `nil` stands for a line that was too long.
    private func read(_ text: String, maximumLength: Int) throws -> [String?] {
        let file = try TemporaryFile(text)
        let descriptor = open(file.path, O_RDONLY)
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: maximumLength)
        var lines: [String?] = []
        while let line = try reader.next() {
            switch line {
            case .line(let bytes): lines.append(String(decoding: bytes, as: UTF8.self))
            case .tooLong: lines.append(nil)
            }
        }
        return lines
    }
}

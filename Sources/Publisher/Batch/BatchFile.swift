import Glibc
import PaymentCommands

/// A file of commands, one a line.
enum BatchFile {
    /// More bad lines than this are only counted.
    static let maximumProblems = 20
    /// Room for the largest body, every byte of it escaped, and the names around it.
    private static let maximumLine = 512 * 1_024

    /// Reads and checks the whole file; `-` is standard input. The failure has a line `FILE:LINE: what` for every bad line.
    static func read(_ path: String) throws(Failure) -> [BatchEntry] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw unreadable(path, FileProblem(number: errno)) }
        defer { if descriptor != STDIN_FILENO { close(descriptor) } }
        let result: Result<[BatchEntry], Failure>
        do throws(FileProblem) {
            result = try entries(descriptor, path)
        } catch {
            throw unreadable(path, error)
        }
        return try result.get()
    }

    private static func entries(
        _ descriptor: Int32,
        _ path: String
    ) throws(FileProblem) -> Result<[BatchEntry], Failure> {
        var reader = LineReader(descriptor: descriptor, maximumLength: maximumLine)
        var entries: [BatchEntry] = []
        var problems: [String] = []
        var problemCount = 0
        var number = 0
        while let line = try reader.next() {
            number += 1
            do throws(BatchLine.Problem) {
                guard case .line(let bytes) = line else { throw BatchLine.Problem("the line is too long") }
                if BatchLine.isBlank(bytes) { continue }
                let command = try BatchLine.command(bytes)
                if problemCount == 0 { entries.append(BatchEntry(line: number, command: command)) }
            } catch {
                problemCount += 1
                if problemCount <= maximumProblems { problems.append("\(path):\(number): \(error)") }
            }
        }
        guard problemCount > 0 else { return .success(entries) }
        if problemCount > maximumProblems { problems.append("… and \(problemCount - maximumProblems) more bad lines") }
        let count = problemCount == 1 ? "one line is" : "\(problemCount) lines are"
        return .failure(Failure(.usage, "nothing was sent, because \(count) bad", details: problems))
    }

    private static func unreadable(_ path: String, _ problem: FileProblem) -> Failure {
        Failure(.usage, "\(path == "-" ? "standard input" : path) cannot be read: \(problem)")
    }
}

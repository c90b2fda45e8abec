import ConfigurationText
import Glibc
import PaymentCommands

/// The `.env` of the working directory, as the processor reads it. A line that is no assignment is passed over here: the processor,
/// whose file it mostly is, complains about it.
enum EnvironmentFile {
    /// - Returns: nothing when there is no such file.
    /// - Throws: when it is there and cannot be read.
    static func variables(path: String) throws(FileProblem) -> [String: String] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let number = errno
            if number == ENOENT { return [:] }
            throw FileProblem(number: number)
        }
        defer { close(descriptor) }
        var reader = LineReader(descriptor: descriptor, maximumLength: 64 * 1_024)
        var lines: [String] = []
        while let line = try reader.next() {
            if case .line(let bytes) = line { lines.append(String(decoding: bytes, as: UTF8.self)) }
        }
        return DotEnvFile(lines.joined(separator: "\n")).variables
    }
}

import AMQP
import Glibc

/// Who may read what only the processor should: files with secrets.
struct FileChecks {
    private let paths: [(name: String, path: String)]
    private let warnings: [String]

    init(_ configuration: ProcessorConfiguration) {
        paths = configuration.secretFiles.map { ($0.name, $0.path) }
        warnings = configuration.warnings
    }

    var findings: [Finding] {
        let files = paths.map { Self.finding($0.name, $0.path) }
        let advice = warnings.map { Finding("configuration", .advice, $0) }
        return [Finding("configuration", .ok, "every value can be used")] + advice + files
    }

    /// A file whose contents give access to something.
    static func finding(_ name: String, _ path: String) -> Finding {
        var status = stat()
        guard stat(path, &status) == 0, access(path, R_OK) == 0 else {
            return Finding(name, .wrong, "\(path) cannot be read by this user; correct its owner or mode")
        }
        guard status.st_mode & 0o077 == 0 else {
            let mode = String(status.st_mode & 0o777, radix: 8)
            return Finding(name, .wrong, "\(path) has mode \(mode), so others may read it; chmod 600 \(path)")
        }
        return Finding(name, .ok, "\(path), for this user only")
    }
}

import Core
import Glibc

/// A new file for a private key: nobody else may read it, and nothing is overwritten.
struct KeyFile {
    let path: String

    /// - Throws: `CommandFailure` with 1 where the file is there already or cannot be written.
    func write(_ key: CardKey) throws {
        guard let json = key.privateJSON else { throw failure("this kind of key is made elsewhere") }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let bytes = json.encoded + [UInt8(ascii: "\n")]
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let problem = String(cString: strerror(errno))
                unlink(path)
                throw failure(problem)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure(String(cString: strerror(errno))) }
    }

    private func failure(_ problem: String) -> CommandFailure {
        CommandFailure(.differences, "\(path) cannot be written: \(problem)")
    }
}

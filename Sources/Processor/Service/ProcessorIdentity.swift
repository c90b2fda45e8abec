import Core
import Glibc
import Program

/// Which start of which processor this is.
enum ProcessorIdentity {
    /// Host, process and time of the start, so that no other start ever has it.
    static func make(startedAt start: Timestamp = SystemTime().now()) -> String {
        var name = [CChar](repeating: 0, count: 256)
        // Cut short where it is longer; the last byte stays 0.
        let host =
            gethostname(&name, name.count - 1) == 0
            ? String(decoding: name.prefix { $0 != 0 }.map(UInt8.init), as: UTF8.self) : "host"
        return "\(host)-\(getpid())-\(String(start.microseconds, radix: 36))"
    }
}

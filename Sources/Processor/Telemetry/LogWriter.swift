import Glibc
import Synchronization

/// Collects log lines and writes them in few, large writes.
///
/// A line waits for at most `delay`, or until so many bytes have gathered that whoever adds the last one writes them
/// all: a reader that is too slow slows the process down, and never costs it memory without end.
final class LogWriter: Sendable {
    static let standardError = LogWriter(descriptor: STDERR_FILENO)

    private static let delay: Duration = .milliseconds(100)
    private static let limit = 64 << 10

    private struct Pending {
        var bytes: [UInt8] = []
        var isScheduled = false
    }

    private let pending = Mutex(Pending())
    /// Held while writing, so that lines keep their order.
    private let descriptor: Mutex<Int32>

    init(descriptor: Int32) {
        self.descriptor = Mutex(descriptor)
    }

    /// An urgent line is written before this returns.
    func write(_ line: [UInt8], isUrgent: Bool) {
        let (isFull, schedules) = pending.withLock { pending in
            pending.bytes.append(contentsOf: line)
            let isFull = isUrgent || pending.bytes.count >= Self.limit
            let schedules = !isFull && !pending.isScheduled
            if schedules { pending.isScheduled = true }
            return (isFull, schedules)
        }
        if isFull { flush() }
        if schedules {
            Task {
                try? await Task.sleep(for: Self.delay)
                pending.withLock { $0.isScheduled = false }
                flush()
            }
        }
    }

    /// Writes what has gathered.
    func flush() {
        descriptor.withLock { descriptor in
            let bytes = pending.withLock { pending in
                defer { pending.bytes.removeAll(keepingCapacity: true) }
                return pending.bytes
            }
            var rest = bytes[...]
            while !rest.isEmpty {
                let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
                if written > 0 {
                    rest = rest.dropFirst(written)
                } else if errno == EAGAIN {
                    var poll = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
                    _ = Glibc.poll(&poll, 1, 1_000)
                } else if errno != EINTR {
                    // Nobody reads the log any more, and there is nowhere else to say so.
                    return
                }
            }
        }
    }
}

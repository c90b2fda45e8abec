import Core
import Glibc
import Program

/// Where log lines go: by way of a queue to a thread that writes them.
final class LogWriter: Sendable {
    static let standardError = LogWriter(descriptor: STDERR_FILENO)

    /// Some thousand lines.
    private static let capacity = 1 << 20

    private let queue: LogQueue

    init(descriptor: Int32, capacity: Int = LogWriter.capacity) {
        queue = LogQueue(descriptor: descriptor, capacity: capacity) { count in
            var line = LogfmtLine()
            line.add("time", LogfmtHandler.wallClock().description)
            line.add("level", "warning")
            line.add("logger", "processor")
            line.add("msg", "log lines were dropped: the log is not read fast enough")
            line.add(LogKey.count.rawValue, "\(count)")
            return line.finished()
        }
        guard queue.start() else {
            // At the start, before there is anything to lose: out of threads or descriptors.
            StandardStream.error.print(
                "processor: no thread can be started for the log; raise the limit of processes or files"
            )
            exit(ExitStatus.internal.rawValue)
        }
    }

    deinit {
        queue.close()
    }

    /// - Parameter isUrgent: written as soon as the reader lets it be; others may wait a little for more.
    func write(_ line: [UInt8], isUrgent: Bool) {
        queue.add(line, isUrgent: isUrgent)
    }

    func setOverflow(_ overflow: LogOverflow) {
        queue.setOverflow(overflow)
    }

    /// - Parameter onDrop: called for each line that is dropped; must not log.
    func observeDrops(_ onDrop: @escaping @Sendable () -> Void) {
        queue.observeDrops(onDrop)
    }

    /// Waits until everything is written, for a second at most: what nobody reads must not keep the process from ending.
    func flush() {
        queue.flush(within: 1_000)
    }
}

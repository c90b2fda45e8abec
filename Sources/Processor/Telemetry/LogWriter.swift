import ConfigurationReading
import Core
import Glibc
import Logging
import Program
import Synchronization

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

/// The log lines that are not written yet, and the thread that writes them: who logs never waits for the reader of the log.
///
/// Bounded: beyond `capacity` bytes a line is dropped, or its writer waits (`LogOverflow`).
final class LogQueue: Sendable {
    private struct State {
        var bytes: [UInt8] = []
        /// Of them, and of what is being written.
        var unwritten = 0
        var isUrgent = false
        var isClosed = false
        var overflow = LogOverflow.drop
        /// Lines since the last report.
        var dropped = 0
        var onDrop: (@Sendable () -> Void)?
    }

    /// How long a line that is not urgent waits for others, so that few large writes are made.
    private static let delay: Int32 = 100
    /// So many bytes are written at once.
    private static let plenty = 64 << 10
    private static let step: Int32 = 5

    private let state = Mutex(State())
    private let capacity: Int
    private let descriptor: Int32
    /// Written to where there is something to do. Neither end blocks.
    private let wakeUpPipe: (read: Int32, write: Int32)
    /// The line that tells how many were dropped.
    private let report: @Sendable (Int) -> [UInt8]

    init(descriptor: Int32, capacity: Int, report: @escaping @Sendable (Int) -> [UInt8]) {
        self.descriptor = descriptor
        self.capacity = capacity
        self.report = report
        var ends: [Int32] = [-1, -1]
        _ = pipe(&ends)
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        wakeUpPipe = (ends[0], ends[1])
    }

    deinit {
        Glibc.close(wakeUpPipe.read)
        Glibc.close(wakeUpPipe.write)
    }

    // MARK: Who logs

    func add(_ line: [UInt8], isUrgent: Bool) {
        while true {
            let (isAdded, wakes, onDrop) = state.withLock { state -> (Bool, Bool, (@Sendable () -> Void)?) in
                guard state.bytes.isEmpty || state.bytes.count + line.count <= capacity else {
                    if state.overflow == .block { return (false, false, nil) }
                    state.dropped += 1
                    return (true, false, state.onDrop)
                }
                let wasEmpty = state.bytes.isEmpty
                state.bytes.append(contentsOf: line)
                state.unwritten += 1
                let isPlenty = state.bytes.count >= Self.plenty
                let wakes = wasEmpty || (isUrgent || isPlenty) && !state.isUrgent
                if isUrgent || isPlenty { state.isUrgent = true }
                return (true, wakes, nil)
            }
            onDrop?()
            if wakes { wakeUp() }
            if isAdded { return }
            _ = poll(nil, 0, Self.step)
        }
    }

    /// What is done with the lines that do not fit from now on; who waits now is told too.
    func setOverflow(_ overflow: LogOverflow) {
        state.withLock { $0.overflow = overflow }
    }

    /// - Parameter onDrop: called for each line that is dropped.
    func observeDrops(_ onDrop: @escaping @Sendable () -> Void) {
        state.withLock { $0.onDrop = onDrop }
    }

    /// Waits until all is written that had been added, for a limited time.
    func flush(within milliseconds: Int32) {
        var left = milliseconds
        while left >= 0 {
            let isEmpty = state.withLock { state in
                if state.unwritten > 0 { state.isUrgent = true }
                return state.unwritten == 0
            }
            if isEmpty { return }
            wakeUp()
            _ = poll(nil, 0, Self.step)
            left -= Self.step
        }
    }

    /// Lets the thread end once all is written.
    func close() {
        state.withLock { $0.isClosed = true }
        wakeUp()
    }

    private func wakeUp() {
        var byte: UInt8 = 1
        _ = Glibc.write(wakeUpPipe.write, &byte, 1)
    }

    // MARK: The thread

    /// - Returns: whether there is one; without it nothing is ever written.
    func start() -> Bool {
        guard wakeUpPipe.read >= 0 else { return false }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        // The process's signals are for others.
        var all = sigset_t()
        var before = sigset_t()
        sigfillset(&all)
        pthread_sigmask(SIG_SETMASK, &all, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        let context = Unmanaged.passRetained(self)
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<LogQueue>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        if result != 0 { context.release() }
        return result == 0
    }

    private func run() {
        while let batch = next() {
            let lost = write(batch.bytes)
            let (dropped, onDrop) = state.withLock { state in
                state.unwritten -= batch.lines
                state.dropped += lost
                // Reported once something gets through again.
                let dropped = lost == 0 ? state.dropped : 0
                if lost == 0 { state.dropped = 0 }
                return (dropped, state.onDrop)
            }
            for _ in 0..<lost { onDrop?() }
            if dropped > 0 { _ = write(report(dropped)) }
        }
    }

    /// Waits for lines, and a little for more of them.
    private func next() -> (bytes: [UInt8], lines: Int)? {
        var hasWaited = false
        while true {
            let (wait, batch, isOver) = state.withLock { state -> (Int32, (bytes: [UInt8], lines: Int)?, Bool) in
                guard !state.bytes.isEmpty else { return (-1, nil, state.isClosed) }
                guard state.isUrgent || state.isClosed || hasWaited else { return (Self.delay, nil, false) }
                let batch = (state.bytes, state.unwritten)
                state.bytes = []
                state.isUrgent = false
                return (0, batch, false)
            }
            if let batch { return batch }
            if isOver { return nil }
            var listening = pollfd(fd: wakeUpPipe.read, events: Int16(POLLIN), revents: 0)
            hasWaited = poll(&listening, 1, wait) == 0
            withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
                while read(wakeUpPipe.read, buffer.baseAddress, buffer.count) == buffer.count {}
            }
        }
    }

    /// - Returns: how many lines could not be written.
    private func write(_ bytes: [UInt8]) -> Int {
        var rest = bytes[...]
        while !rest.isEmpty {
            // Never more than a pipe with room takes at once: whoever waits, waits here, for a limited time.
            var ready = pollfd(fd: descriptor, events: Int16(POLLOUT), revents: 0)
            guard poll(&ready, 1, 1_000) > 0 else { continue }
            let step = rest.prefix(Int(PIPE_BUF))
            let written = step.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if written > 0 {
                rest = rest.dropFirst(written)
            } else if errno != EINTR, errno != EAGAIN {
                return rest.count { $0 == UInt8(ascii: "\n") }
            }
        }
        return 0
    }
}

/// What becomes of a log line when the lines before it have not been read.
enum LogOverflow: String, Sendable, CaseIterable {
    /// It is dropped, and counted.
    case drop
    /// Who logs it waits, until the shutdown begins.
    case block
}

extension ValueForm where Value == LogOverflow {
    static let logOverflow = word(orElse: "is neither drop nor block")
}

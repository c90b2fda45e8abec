import Core
import Glibc
import Logging
import Synchronization
import Testing

@testable import Processor

/// A logger whose lines can be read back, at a time that stands still.
final class CapturedLog: Sendable {
    let logger: Logger
    private let file: Int32
    private let writer: LogWriter
    /// How far the file has been read.
    private let offset = Mutex(0)

    init(level: Logger.Level = .info) throws {
        var path = Array("/tmp/processor-tests-XXXXXX".utf8CString)
        let file = mkstemp(&path)
        try #require(file >= 0)
        unlink(path)
        self.file = file
        let writer = LogWriter(descriptor: file)
        self.writer = writer
        logger = Logger(label: "processor") { label in
            LogfmtHandler(label: label, level: level, writer: writer) { Timestamp(microseconds: 1_767_225_600_000_001) }
        }
    }

    /// The lines logged since the last check, without their times.
    func lines() -> [String] {
        readAll().split(separator: "\n").map { String($0.trimmingPrefix("time=2026-01-01T00:00:00.000001Z ")) }
    }

    /// What has been logged since the last check, byte for byte.
    func readAll() -> String {
        writer.flush()
        return read()
    }

    /// What has been written since the last check, byte for byte.
    func read() -> String {
        offset.withLock { offset in
            var bytes: [UInt8] = []
            var chunk = [UInt8](repeating: 0, count: 65_536)
            while true {
                let count = pread(file, &chunk, chunk.count, offset)
                guard count > 0 else { break }
                bytes += chunk[..<count]
                offset += count
            }
            return String(decoding: bytes, as: UTF8.self)
        }
    }
}

/// A time that goes on only when a test says so.
final class ManualTime: TimeSource {
    private struct State {
        var uptime = Duration.zero
        var sleepers: [(until: Duration, wake: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func now() -> Timestamp { Timestamp(microseconds: 0).advanced(by: uptime()) }

    func uptime() -> Duration { state.withLock { $0.uptime } }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await withCheckedContinuation { wake in
            state.withLock { $0.sleepers.append(($0.uptime + duration, wake)) }
        }
        if Task.isCancelled { throw CancellationError() }
    }

    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func advance(by duration: Duration) {
        let awake = state.withLock { state in
            state.uptime += duration
            let awake = state.sleepers.filter { $0.until <= state.uptime }
            state.sleepers.removeAll { $0.until <= state.uptime }
            return awake
        }
        for sleeper in awake { sleeper.wake.resume() }
    }
}

/// Waits for a condition, for a limited time.
func eventually(_ condition: () -> Bool) async -> Bool {
    let limit = ContinuousClock.now.advanced(by: .seconds(20))
    while ContinuousClock.now < limit {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return condition()
}

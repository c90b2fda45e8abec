import Synchronization

@testable import BankSimulator

/// A wall clock that stands still until it is moved.
final class ManualClock: Sendable {
    /// 2026-01-02T03:04:05.123456789Z
    static let start = Timestamp(nanoseconds: 1_767_323_045_123_456_789)

    private let time = Mutex(start)

    var now: Timestamp { time.withLock { $0 } }

    func advance(nanoseconds: Int64) {
        time.withLock { $0.nanoseconds += nanoseconds }
    }

    func advance(milliseconds: Int64) {
        advance(nanoseconds: milliseconds * 1_000_000)
    }
}

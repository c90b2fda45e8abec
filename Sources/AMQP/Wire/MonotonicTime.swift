import Glibc

/// An instant of the monotonic clock: what deadlines inside the driver are.
struct MonotonicTime: Comparable, Sendable {
    private let nanoseconds: UInt64

    static let distantFuture = MonotonicTime(nanoseconds: .max)

    static func now() -> MonotonicTime {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return MonotonicTime(nanoseconds: UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec))
    }

    static func < (left: MonotonicTime, right: MonotonicTime) -> Bool {
        left.nanoseconds < right.nanoseconds
    }

    /// A negative duration counts as none, one that never ends as the distant future.
    func advanced(by duration: Duration) -> MonotonicTime {
        guard duration > .zero else { return self }
        let (seconds, attoseconds) = duration.components
        let (whole, isTooLong) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, isTooLate) = nanoseconds.addingReportingOverflow(whole)
        guard !isTooLong, !isTooLate else { return .distantFuture }
        return MonotonicTime(nanoseconds: sum &+ UInt64(attoseconds / 1_000_000_000))
    }

    /// Whole milliseconds from `other` until this instant, rounded up; 0 when it has passed.
    func milliseconds(after other: MonotonicTime) -> Int32 {
        guard self > other else { return 0 }
        return Int32(clamping: (nanoseconds - other.nanoseconds) / 1_000_000 + 1)
    }
}

/// One period of a job's schedule, named by its start. Whoever takes it first runs the job; it takes effect once
/// (docs/correctness.md#a-slot-runs-once).
///
/// Every processor computes the same slots from the same period: multiples of it since the epoch. A clock that is wrong gives
/// slots too early or too late, never one twice.
package struct SweepSlot: Hashable, Sendable {
    package let job: SweepJob
    package let start: Timestamp

    package init(job: SweepJob, start: Timestamp) {
        self.job = job
        self.start = start
    }

    /// - Parameters:
    ///   - job: whose schedule it is.
    ///   - instant: any within the slot.
    ///   - period: more than zero.
    package init(of job: SweepJob, containing instant: Timestamp, period: Duration) {
        let length = max(period.microseconds, 1)
        let (quotient, remainder) = instant.microseconds.quotientAndRemainder(dividingBy: length)
        self.init(job: job, start: Timestamp(microseconds: (remainder < 0 ? quotient - 1 : quotient) * length))
    }

    /// The beginning of the one after it.
    package func end(period: Duration) -> Timestamp { start.advanced(by: period) }
}

/// The scheduled work. Raw values are the names on the wire, in the store and on the command line.
package enum SweepJob: String, Sendable, CaseIterable {
    /// Checks operations that nobody has finished.
    case reconcile
    /// Looks for authorizations past their expiry.
    case expire
    /// Removes what need not be kept any longer.
    case retention
}

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

/// What a sweep found and did.
package struct SweepReport: Hashable, Sendable {
    /// Rows that were due and not done with: each of them ended as one of the three below.
    package var examined = 0
    package var resolved = 0
    package var needsAttention = 0
    /// To be checked again later.
    package var waiting = 0

    package init(examined: Int = 0, resolved: Int = 0, needsAttention: Int = 0, waiting: Int = 0) {
        self.examined = examined
        self.resolved = resolved
        self.needsAttention = needsAttention
        self.waiting = waiting
    }
}

/// Names a run of a sweep. Ours, a UUIDv7, made before the run is written, so that a run whose COMMIT was not answered is
/// recognised (docs/correctness.md#unknown-commit).
package struct SweepRunID: Hashable, Sendable {
    package let value: UniqueID

    package init(_ value: UniqueID) {
        self.value = value
    }
}

/// A run of a sweep, as the store remembers it.
package struct SweepRun: Hashable, Sendable {
    package let id: SweepRunID
    package let job: SweepJob
    /// `nil` where an operator started it.
    package let slot: Timestamp?
    package let startedAt: Timestamp
    /// `nil` while it runs, and forever where its processor died.
    package let finishedAt: Timestamp?
    package let report: SweepReport

    package init(
        id: SweepRunID,
        job: SweepJob,
        slot: Timestamp?,
        startedAt: Timestamp,
        finishedAt: Timestamp? = nil,
        report: SweepReport = SweepReport()
    ) {
        self.id = id
        self.job = job
        self.slot = slot
        self.startedAt = startedAt
        self.finishedAt = finishedAt
        self.report = report
    }
}

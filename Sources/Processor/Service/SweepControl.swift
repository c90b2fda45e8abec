import Core

/// What an operator does with sweeps: the same from the command line and from the console.
struct SweepControl: Sendable {
    let parts: SweepParts
    let store: any SweepStore
    let periods: [SweepJob: Duration]

    /// Without the bank's clock nothing can be said about what has expired.
    struct NoBankClock: Error, Hashable {
        static let explanation = "the bank does not tell its time; see bank.url (BANK_URL). Nothing was done"
    }

    /// - Parameter stop: looked at between two batches.
    /// - Throws: `NoBankClock` or `StoreError`.
    func report(_ job: SweepJob, isDryRun: Bool, until stop: StopFlag = StopFlag()) async throws -> SweepReport {
        let expiredBy = job == .expire ? await parts.expire.expiredBy() : nil
        if job == .expire, expiredBy == nil { throw NoBankClock() }
        guard isDryRun else { return try await parts.runner.run(job, until: stop) }
        return try await store.preview(job, parts.policy, expiredBy: expiredBy)
    }
}

import Core

/// What the sweeps keep: the runs, and when which row is due to be checked.
struct SweepTables {
    struct Due {
        var at: Timestamp
        var checks = 0
    }

    private(set) var runs: [SweepRun] = []
    private var holders: [SweepSlot: SweepRunID] = [:]
    var open: [OperationID: Due] = [:]
    /// By payment, on the bank's clock.
    var authorizations: [PaymentID: (due: Due, operation: OperationID)] = [:]

    /// - Returns: false where another run has the slot.
    mutating func begin(_ run: SweepRunID, _ slot: SweepSlot, at now: Timestamp) -> Bool {
        if let holder = holders[slot] { return holder == run }
        holders[slot] = run
        runs.append(SweepRun(id: run, job: slot.job, slot: slot.start, startedAt: now))
        return true
    }

    mutating func begin(_ run: SweepRunID, _ job: SweepJob, at now: Timestamp) {
        guard !runs.contains(where: { $0.id == run }) else { return }
        runs.append(SweepRun(id: run, job: job, slot: nil, startedAt: now))
    }

    /// - Returns: how many rows went.
    mutating func removeRuns(startedBefore limit: Timestamp, most: Int) -> Int {
        let old = Set(runs.filter { $0.startedAt < limit }.prefix(most).map(\.id))
        if old.isEmpty { return 0 }
        runs.removeAll { old.contains($0.id) }
        holders = holders.filter { !old.contains($0.value) }
        return old.count
    }

    /// An operation or a payment has been written.
    mutating func note(_ operation: Operation, _ payment: Payment?) {
        if operation.isOpen || !operation.isNotified || operation.areEventsDue, open[operation.id] == nil {
            open[operation.id] = Due(at: operation.leaseUntil)
        }
        if operation.kind == .authorize, operation.state == .succeeded, let payment, let expiresAt = payment.expiresAt {
            authorizations[payment.id] = (Due(at: expiresAt), operation.id)
        }
    }

    mutating func write(_ report: SweepReport, of id: SweepRunID, at now: Timestamp) {
        guard let index = runs.lastIndex(where: { $0.id == id }) else { return }
        let run = runs[index]
        runs[index] = SweepRun(
            id: id,
            job: run.job,
            slot: run.slot,
            startedAt: run.startedAt,
            finishedAt: now,
            report: report
        )
    }
}

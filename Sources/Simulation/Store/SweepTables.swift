import Core

/// What the sweeps keep: the runs, and when which row is due to be looked at.
struct SweepTables {
    struct Due {
        var at: Timestamp
        var looks = 0
    }

    var runs: [SweepRun] = []
    var open: [OperationID: Due] = [:]
    /// By payment, on the bank's clock.
    var authorizations: [PaymentID: (due: Due, operation: OperationID)] = [:]

    /// An operation or a payment has been written.
    mutating func note(_ operation: Operation, _ payment: Payment?) {
        if operation.isOpen || !operation.isTold, open[operation.id] == nil {
            open[operation.id] = Due(at: operation.leaseUntil)
        }
        if operation.kind == .authorize, operation.state == .succeeded, let payment, let expiresAt = payment.expiresAt {
            authorizations[payment.id] = (Due(at: expiresAt), operation.id)
        }
    }

    mutating func write(_ report: SweepReport, of id: SweepRunID, at now: Timestamp) {
        guard let index = runs.firstIndex(where: { $0.id == id }) else { return }
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

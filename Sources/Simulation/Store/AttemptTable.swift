import Core

/// The requests to the bank that did not complete their operations, and when operations were completed.
struct AttemptTable {
    private struct Row {
        let attempt: UnfinishedAttempt
        let at: Timestamp
        let fencingToken: Int64
    }

    private var rows: [OperationID: [Row]] = [:]
    private var completed: [OperationID: Timestamp] = [:]

    /// With what becomes of the operation.
    mutating func add(_ attempts: [UnfinishedAttempt], to operation: Operation, at now: Timestamp) {
        add(attempts, by: operation, at: now)
        if operation.reply != nil, completed[operation.id] == nil { completed[operation.id] = now }
    }

    /// Those of a fencing token are written once.
    mutating func add(_ attempts: [UnfinishedAttempt], by operation: Operation, at now: Timestamp) {
        guard !attempts.isEmpty,
            rows[operation.id]?.contains(where: { $0.fencingToken == operation.fencingToken }) != true
        else {
            return
        }
        rows[operation.id, default: []] += attempts.map { attempt in
            Row(attempt: attempt, at: now.advanced(by: .zero - attempt.age), fencingToken: operation.fencingToken)
        }
    }

    /// Oldest first.
    func records(of operations: [Operation]) -> [BankAttemptRecord] {
        operations.flatMap { operation in
            let unfinished = (rows[operation.id] ?? []).map { row in
                BankAttemptRecord(
                    at: row.at,
                    operation: operation.kind,
                    idempotencyKey: operation.idempotencyKey,
                    verdict: row.attempt.verdict,
                    status: row.attempt.status,
                    code: row.attempt.code,
                    tier: row.attempt.tier
                )
            }
            let completing = completed[operation.id].flatMap { BankAttemptRecord(completing: operation, at: $0) }
            return unfinished + (completing.map { [$0] } ?? [])
        }
        .sorted { $0.at < $1.at }
    }
}

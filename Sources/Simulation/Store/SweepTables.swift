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

/// The rows of the outbox.
struct OutboxTable {
    struct Row {
        let id: OutboxID
        let content: OutboxMessage
        let createdAt: Timestamp
        var dueAt: Timestamp
        var attempts = 0
        var sentAt: Timestamp?
    }

    private(set) var rows: [Row] = []
    private var lastID: Int64 = 0

    mutating func append(_ messages: [OutboxMessage], at now: Timestamp) {
        for content in messages {
            lastID += 1
            rows.append(Row(id: OutboxID(lastID), content: content, createdAt: now, dueAt: now))
        }
    }

    var unsent: [Row] { rows.filter { $0.sentAt == nil } }

    /// The oldest of each payment and kind of destination, where it is due.
    mutating func take(limit: Int, hold: Duration, now: Timestamp) -> [OutboxEntry] {
        var seen: Set<Lane> = []
        var entries: [OutboxEntry] = []
        for index in rows.indices where rows[index].sentAt == nil && entries.count < limit {
            let row = rows[index]
            guard seen.insert(Lane(row.content)).inserted, row.dueAt <= now else { continue }
            entries.append(OutboxEntry(id: row.id, content: row.content, attempts: row.attempts))
            rows[index].dueAt = now.advanced(by: hold)
            rows[index].attempts += 1
        }
        return entries
    }

    mutating func note(_ ending: OutboxEnding, at now: Timestamp) {
        guard let index = rows.firstIndex(where: { $0.id == ending.entry.id }),
            rows[index].content.isSame(as: ending.entry.content)
        else { return }
        switch ending.outcome {
        case .sent, .undeliverable: rows[index].sentAt = now
        case .postponed(let pause): rows[index].dueAt = now.advanced(by: pause)
        }
    }

    /// - Returns: how many rows went.
    mutating func remove(sentBefore limit: Timestamp, most: Int) -> Int {
        let old = rows.filter { $0.sentAt.map { $0 < limit } ?? false }.prefix(most).map(\.id)
        rows.removeAll { old.contains($0.id) }
        return old.count
    }

    private struct Lane: Hashable {
        let payment: PaymentID
        let role: InMemoryBroker.Role
        /// Replies to one queue are in order; those to another do not wait for it.
        let queue: String?

        init(_ content: OutboxMessage) {
            payment = content.paymentID
            role = content.destination.role
            queue = if case .replies(let queue) = content.destination { queue } else { nil }
        }
    }
}

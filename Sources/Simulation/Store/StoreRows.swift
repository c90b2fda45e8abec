package import Core

/// Everything that a store holds.
package struct StoreRows: Sendable {
    /// By payment id.
    package let views: [PaymentView]
    /// Operations on payments that do not exist.
    package let rejected: [Operation]
    package let undeliverable: Set<OperationID>
    /// Oldest first.
    package let deadLetters: [DeadLetter]
    /// Everything that was ever written to the outbox and is kept, oldest first.
    package let outbox: [Relayed]
    package let runs: [SweepRun]

    /// A message of the outbox.
    package struct Relayed: Sendable {
        package let content: OutboxMessage
        /// Done with: published, or recorded.
        package let isSent: Bool
    }

    package init(
        views: [PaymentView],
        rejected: [Operation],
        undeliverable: Set<OperationID>,
        deadLetters: [DeadLetter],
        outbox: [Relayed],
        runs: [SweepRun]
    ) {
        self.outbox = outbox
        self.runs = runs
        self.deadLetters = deadLetters
        self.views = views
        self.rejected = rejected
        self.undeliverable = undeliverable
    }

    package var operations: [Operation] { views.flatMap(\.operations) + rejected }
}

/// What a store has lost with its last commits: for these nobody can be held to what was said before.
package struct ForgottenRows: Sendable {
    /// The keys of operations that are gone, or as they were before.
    package private(set) var keys: Set<String> = []
    package private(set) var payments: Set<PaymentID> = []
    /// The correlation ids and keys of dead letters that are gone, or open again.
    package private(set) var deadLetters: Set<String> = []
    /// The correlation ids of those who are owed a reply and are not known any more.
    package private(set) var awaited: Set<String> = []
    /// A run of a sweep, or what an outbox had sent.
    package private(set) var hasLostSchedule = false
    package private(set) var rows = 0

    /// - Returns: how many rows differ.
    mutating func note(_ lost: StoreTables, after restored: StoreTables) -> Int {
        let before = rows
        for (id, operation) in lost.operations where restored.operations[id] != operation {
            keys.insert(operation.idempotencyKey.description)
            payments.insert(operation.paymentID)
            rows += 1
        }
        for (id, payment) in lost.payments where restored.payments[id] != payment {
            payments.insert(id)
            rows += 1
        }
        for (id, deadLetter) in lost.deadLetters.rows where restored.deadLetters.rows[id] != deadLetter {
            deadLetters.formUnion(
                [deadLetter.content.message.correlationID?.description, deadLetter.command.idempotencyKey?.description]
                    .compactMap(\.self)
            )
            rows += 1
        }
        for row in lost.awaited.rows where !restored.awaited.rows.contains(row) {
            awaited.formUnion([row.route.correlationID?.description].compactMap(\.self))
            rows += 1
        }
        if lost.sweeps.runs.count != restored.sweeps.runs.count { hasLostSchedule = true }
        if lost.outbox.rows.count != restored.outbox.rows.count
            || lost.outbox.unsent.count != restored.outbox.unsent.count
        {
            hasLostSchedule = true
        }
        for (payment, line) in lost.waiting.all where restored.waiting.all[payment] != line { payments.insert(payment) }
        return rows - before
    }
}

/// What goes wrong with one call of the store.
package enum StoreFault: Hashable, Sendable {
    /// Not reachable: nothing has happened.
    case unavailable
    /// It refuses this very work.
    case refused
    /// The commit's answer is lost; it happened.
    case lostAfterCommit
    /// The commit's answer is lost; it did not happen.
    case lostBeforeCommit

    package enum Call: Hashable, Sendable, CaseIterable {
        case claim, complete, recordNotified, deadLetters, replays, sweep, outbox
    }

    var happens: Bool { self == .lostAfterCommit }

    var error: StoreError {
        switch self {
        case .unavailable: StoreError(.unavailable, detail: "08006")
        case .refused: StoreError(.refused, detail: "23514")
        case .lostAfterCommit, .lostBeforeCommit:
            StoreError(.unavailable, detail: "08007", outcomeUnknown: true)
        }
    }
}

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

package import Core

/// Everything that a store holds.
package struct StoreRows: Sendable {
    /// By payment id.
    package let views: [PaymentView]
    /// Operations on payments that do not exist.
    package let rejected: [Operation]
    package let undeliverable: Set<OperationID>
    /// Oldest first.
    package let letters: [DeadLetter]

    package init(
        views: [PaymentView],
        rejected: [Operation],
        undeliverable: Set<OperationID>,
        letters: [DeadLetter]
    ) {
        self.letters = letters
        self.views = views
        self.rejected = rejected
        self.undeliverable = undeliverable
    }

    package var operations: [Operation] { views.flatMap(\.operations) + rejected }
}

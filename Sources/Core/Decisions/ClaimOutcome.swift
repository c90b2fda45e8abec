/// What a claim found, and what is to be done now.
package indirect enum ClaimOutcome: Hashable, Sendable {
    /// Ours until the lease runs out: call the bank.
    case claimed(Claim)
    /// The outcome is stored. `isReplay` is false where this very claim stored it: a rejection.
    case completed(Operation, isReplay: Bool)
    /// No, and the no is not stored.
    case rejected(RejectionCode, Payment?)
    /// Another delivery of the same key is at it, or it rests (docs/correctness.md#same-key-in-progress).
    case waitForKey
    /// It waits for others of its payment, and is checked again later (docs/correctness.md#busy-payment,
    /// docs/correctness.md#overtaking).
    case wait(WaitReason, Payment?)
    /// Manual review comes first.
    case needsAttention(Operation, Payment?)
}

/// The right to call the bank for an operation, as long as the lease lasts.
package struct Claim: Hashable, Sendable {
    package let operation: Operation
    package let payment: Payment

    package init(operation: Operation, payment: Payment) {
        self.operation = operation
        self.payment = payment
    }
}

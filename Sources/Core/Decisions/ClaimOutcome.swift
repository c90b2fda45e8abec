/// What a claim found, and what is to be done now.
package indirect enum ClaimOutcome: Hashable, Sendable {
    /// Ours until the lease runs out: call the bank.
    case claimed(Claim)
    /// The outcome is stored. `isReplay` is false where this very claim stored it: a rejection.
    case completed(Operation, isReplay: Bool)
    /// No, and the no is not stored.
    case rejected(RejectionCode, Payment?)
    /// Another delivery of the same key is at it, or it rests (docs/correctness.md#same-key-in-progress).
    case waitForKey(HeldKey)
    /// It waits for others of its payment, and is checked again later (docs/correctness.md#busy-payment,
    /// docs/correctness.md#overtaking).
    case wait(WaitReason, Payment?)
    /// Manual review comes first.
    case needsAttention(Operation, Payment?)
}

extension ClaimOutcome {
    package var heldKey: HeldKey? {
        if case .waitForKey(let held) = self { held } else { nil }
    }
}

/// An operation that somebody else's claim holds, or that rests.
package struct HeldKey: Hashable, Sendable {
    /// As it is, in the hands of its holder.
    package let operation: Operation
    package let payment: Payment?
    /// Until its lease, or its rest, is over on the store's clock.
    package let freeIn: Duration

    init(_ operation: Operation, _ payment: Payment?, now: Timestamp) {
        self.operation = operation
        self.payment = payment
        freeIn = max(.zero, now.duration(to: operation.leaseUntil))
    }
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

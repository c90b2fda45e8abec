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

/// A command that wants to go to the bank.
package struct ClaimRequest: Sendable {
    package let command: Command
    /// The operation's id, if the key is new.
    package let operationID: OperationID
    /// Names this attempt, through all retries of the claim itself (docs/correctness.md#unknown-commit).
    package let token: ClaimToken
    package let lease: Duration
    /// What the bank will know the operation by, if the key is new.
    package let bankKey: String
    /// Whether it has waited a retry tier for its authorize already.
    package let hasWaited: Bool
    package let expiry: Expiry
    /// The fencing token of a claim whose request the bank has executed: it was asked by the key, and replays its success. Such a claim
    /// need not be waited for (docs/correctness.md#takeover).
    package let executed: Int64?

    /// Whether the command expired before anybody handled it.
    package enum Expiry: Hashable, Sendable {
        case none
        /// It did: what is known goes on, and nothing new is begun.
        case expired
        /// The same, asked by somebody who cannot go to the bank: nothing is taken over either.
        case expiredAndOnlyChecking
    }

    package init(
        command: Command,
        operationID: OperationID,
        token: ClaimToken,
        lease: Duration,
        bankKey: String? = nil,
        hasWaited: Bool = false,
        expiry: Expiry = .none,
        executed: Int64? = nil
    ) {
        self.command = command
        self.operationID = operationID
        self.token = token
        self.lease = lease
        self.bankKey = bankKey ?? command.bankKey
        self.hasWaited = hasWaited
        self.expiry = expiry
        self.executed = executed
    }
}

extension Operation {
    /// The same operation in other hands: after its last holder is gone, or has put it to rest.
    func taken(by token: ClaimToken, lease: Duration, now: Timestamp) -> Operation {
        var operation = leased(to: token, lease: lease, now: now)
        // What was never sent has no age at the bank: its 24 hours begin with the next send
        // (docs/correctness.md#lost-keys).
        if state == .unknown, !isAmbiguous { operation.firstSentAt = now }
        operation.state = .sent
        operation.attempts += 1
        return operation
    }

    /// The same, to ask by its key only: nothing is sent that could be executed, so it is no attempt, and a holder that never comes
    /// back has left nothing behind.
    func takenForInquiry(by token: ClaimToken, lease: Duration, now: Timestamp) -> Operation {
        var operation = leased(to: token, lease: lease, now: now)
        operation.state = .unknown
        return operation
    }

    /// The same, to be ended by an operator's decision: from `NEEDS_ATTENTION`, and only as that operator has seen it.
    ///
    /// - Parameters:
    ///   - seen: as it was read.
    ///   - token: names this attempt.
    ///   - lease: how long it may talk to the bank.
    ///   - now: the store's clock.
    /// - Returns: `nil` where others have changed it since. What this very token has taken before is given again
    ///   (docs/correctness.md#unknown-commit).
    package func takenForResolution(
        as seen: Operation,
        by token: ClaimToken,
        lease: Duration,
        now: Timestamp
    ) -> Operation? {
        if state == .sent, claimToken == token { return self }
        guard state == .needsAttention, id == seen.id, fencingToken == seen.fencingToken else { return nil }
        return taken(by: token, lease: lease, now: now)
    }

    /// A holder that never came back may have sent its request and not learnt the answer. Its answer may have been seen all the same.
    package mutating func countRequestOfLostHolder() {
        guard state == .sent else { return }
        if failedFencingToken == fencingToken { sends.failed += 1 } else { sends.unanswered += 1 }
    }

    /// Whether the store has forgotten an earlier claim: every later one of the same operation has a higher fencing token.
    func isClaimedAnew(after earlier: Operation) -> Bool { id != earlier.id || fencingToken <= earlier.fencingToken }

    private func leased(to token: ClaimToken, lease: Duration, now: Timestamp) -> Operation {
        var operation = self
        operation.leaseUntil = now.advanced(by: lease)
        operation.countRequestOfLostHolder()
        operation.fencingToken += 1
        operation.claimToken = token
        return operation
    }
}

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

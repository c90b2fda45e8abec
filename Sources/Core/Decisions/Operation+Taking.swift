extension Operation {
    /// The same operation in other hands: after its last holder is gone, or has put it to rest.
    func taken(by token: ClaimToken, lease: Duration, now: Timestamp) -> Operation {
        var operation = self
        // What was never sent has no age at the bank: its 24 hours begin with the next send (trap B3).
        if state == .unknown, !isAmbiguous { operation.firstSentAt = now }
        operation.leaseUntil = now.advanced(by: lease)
        // A holder that never came back may have sent its request and not learnt the answer.
        if state == .sent { operation.ambiguousSends += 1 }
        operation.state = .sent
        operation.fence += 1
        operation.attempts += 1
        operation.claimToken = token
        return operation
    }
}

/// The times that keep two requests under one bank key apart (docs/bank.md#times, docs/correctness.md#unlocked-keys).
package struct HandlerLimits: Hashable, Sendable {
    /// Bounds one request to the bank.
    package let bankTimeout: Duration
    /// How long the bank may go on executing a request that we gave up on.
    package let bankWorstCase: Duration
    /// At least the sum of the two: within it no one else may send under the same key.
    package let lease: Duration
    /// How long a command waits for another one of its payment, all deferrals included
    /// (docs/correctness.md#busy-payment).
    package let busyAfter: Duration

    package init(bankTimeout: Duration, bankWorstCase: Duration, lease: Duration, busyAfter: Duration) {
        self.bankTimeout = bankTimeout
        self.bankWorstCase = bankWorstCase
        self.lease = lease
        self.busyAfter = busyAfter
    }

    /// The timeout of a request that is sent now, such that even its worst case ends within the lease; `nil` where too
    /// little is left of it to be worth a try.
    ///
    /// - Parameter elapsed: since before the claim, on this process's monotonic clock.
    func timeout(elapsed: Duration) -> Duration? {
        let left = lease - bankWorstCase - elapsed
        return left < bankTimeout / 2 ? nil : min(left, bankTimeout)
    }
}

/// How often and how soon things are tried again.
package struct RetryPolicy: Hashable, Sendable {
    /// Requests to the bank within one claim, the first included.
    package var bankSends = 4
    /// The least pause before the bank is asked again under the same key (contract.md §4).
    package var bankPause: Duration = .milliseconds(100)
    /// Claims of one operation before a person must look.
    package var attempts = 20
    /// How long after its first send an operation that may have reached the bank is sent again: the bank forgets a key after 24
    /// hours (trap B3).
    package var resendLimit: Duration = .seconds(23 * 3_600)
    /// How long a delivery waits for the store before it is parked: seconds, never minutes (trap P11).
    package var storePatience: Duration = .seconds(10)
    /// The first pause after a failure of the store or the broker; doubled each time, up to `pauseLimit`.
    package var pause: Duration = .milliseconds(50)
    package var pauseLimit: Duration = .seconds(2)

    package init() {}

    /// Full jitter over a window that doubles: spreads those who failed together.
    ///
    /// - Parameters:
    ///   - attempt: 0 for the first pause.
    ///   - dice: a fresh random word.
    package func backoff(attempt: Int, dice: UInt64) -> Duration {
        let window = min(pause * Double(1 << min(attempt, 16)), pauseLimit)
        return pause / 2 + .microseconds(Int64(dice % UInt64(max(window.microseconds, 1))))
    }

    /// The pause before the bank is asked again: never below `bankPause`.
    package func bankBackoff(attempt: Int, dice: UInt64) -> Duration {
        let window = bankPause * Double(2 << min(attempt, 8))
        return bankPause + .microseconds(Int64(dice % UInt64(max(window.microseconds, 1))))
    }
}

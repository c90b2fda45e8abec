/// How often and how soon things are tried again.
package struct RetryPolicy: Hashable, Sendable {
    /// Requests to the bank within one claim, the first included.
    package var bankSends = 4
    /// The least pause before the bank is asked again under the same key (docs/bank.md#times).
    package var bankPause: Duration = .milliseconds(100)
    /// Times that the store may refuse to write about one delivery before manual review is needed.
    package var refusals = 8
    /// How long after its first send an operation that may have reached the bank is sent again: the bank forgets a key after 24
    /// hours (docs/correctness.md#lost-keys).
    package var resendLimit: Duration = .seconds(23 * 3_600)
    /// How long a delivery waits for the store before it is deferred: seconds, never minutes
    /// (docs/correctness.md#long-waits).
    package var storePatience: Duration = .seconds(10)
    /// The first pause after a failure of the store or the broker; doubled each time, up to `pauseLimit`.
    package var pause: Duration = .milliseconds(50)
    package var pauseLimit: Duration = .seconds(2)

    package init() {}

    /// The retry tier for a delivery whose operation stays open: 5s, 30s, 2m, 10m, 1h, and 1h again; never one that
    /// brings it back before its key has rested.
    ///
    /// - Parameters:
    ///   - attempts: so far, counted in the store (docs/correctness.md#innocent-neighbours).
    ///   - rest: how long the key must rest.
    package func tier(attempts: Int, rest: Duration) -> RetryTier {
        let tiers = RetryTier.allCases
        let byAttempts = tiers[min(max(attempts, 1), tiers.count) - 1]
        return tiers.first { $0.delay >= max(rest, byAttempts.delay) } ?? .hour1
    }

    /// The retry tier for a delivery whose operation stays open because the bank is unavailable: however long the
    /// outage has been, the command is tried soon after it.
    package func tierDuringOutage(rest: Duration) -> RetryTier {
        RetryTier.allCases.first { $0.delay >= max(rest, RetryTier.seconds30.delay) } ?? .hour1
    }

    /// The retry tier for a delivery that waits for another command of its payment, or for the store: the first ones
    /// only, because what it waits for is over soon (docs/correctness.md#busy-payment).
    package func waitingTier(waited: Duration) -> RetryTier {
        waited < RetryTier.seconds30.delay ? .seconds5 : .seconds30
    }

    /// Full jitter over a window that doubles: spreads those who failed together.
    ///
    /// - Parameters:
    ///   - attempt: 0 for the first pause.
    ///   - random: a fresh random word.
    package func backoff(attempt: Int, random: UInt64) -> Duration {
        let window = min(pause * Double(1 << min(attempt, 16)), pauseLimit)
        return pause / 2 + .microseconds(Int64(random % UInt64(max(window.microseconds, 1))))
    }

    /// The pause before the bank is asked again: never below `bankPause`.
    package func bankBackoff(attempt: Int, random: UInt64) -> Duration {
        let window = bankPause * Double(2 << min(attempt, 8))
        return bankPause + .microseconds(Int64(random % UInt64(max(window.microseconds, 1))))
    }
}

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

/// The retry tiers: one queue each, because a per-message TTL blocks behind the head of a queue.
package enum RetryTier: String, Sendable, CaseIterable {
    case seconds5 = "5s"
    case seconds30 = "30s"
    case minutes2 = "2m"
    case minutes10 = "10m"
    case hour1 = "1h"

    package var delay: Duration {
        switch self {
        case .seconds5: .seconds(5)
        case .seconds30: .seconds(30)
        case .minutes2: .seconds(120)
        case .minutes10: .seconds(600)
        case .hour1: .seconds(3_600)
        }
    }

    /// The next shorter and the next longer tier, where there is one: for a copy whose own tier cannot be used.
    var neighbours: [RetryTier] {
        let tiers = Self.allCases
        let own = tiers.firstIndex(of: self) ?? 0
        return [own - 1, own + 1].filter(tiers.indices.contains).map { tiers[$0] }
    }
}

/// How often a sweep comes back to a row that it could not resolve.
package struct SweepPolicy: Hashable, Sendable {
    /// Rows of one check, and the most that are worked on at a time.
    package var batch = 100
    /// The pause after the first check of a row; doubled with every further one.
    package var pause: Duration = .seconds(30)
    package var pauseLimit: Duration = .seconds(3_600)
    /// How long after its first send an operation whose card is gone waits for its redelivery or replay: as long as the
    /// bank can be trusted to remember a key (docs/correctness.md#lost-keys).
    package var abandonAfter: Duration = .seconds(23 * 3_600)
    /// The least number of checks before one that never reached the bank is given up. Nobody looks while the bank is
    /// known to be out, so an outage of any length gives nothing up (docs/correctness.md#bank-outage).
    package var abandonChecks = 24
    /// How long what is done with is kept: relayed messages, and the runs of sweeps.
    package var keepsRelayed: Duration = .seconds(7 * 86_400)
    package var keepsRuns: Duration = .seconds(30 * 86_400)
    /// Places of commands that wait and were never seen again: their messages are lost.
    package var keepsWaiting: Duration = .seconds(7 * 86_400)
    /// Dead letters that were replayed or discarded; what was done with them is kept forever.
    package var keepsDeadLetters: Duration = .seconds(90 * 86_400)
    /// Sealed cards of dead letters that are open: as long as they may be replayed.
    package var keepsSealedCards: Duration = .seconds(86_400)

    package init(batch: Int = 100) {
        self.batch = batch
    }

    /// Between half of a window and all of it; the window doubles with every check. Spreads rows that became due
    /// together.
    ///
    /// - Parameters:
    ///   - checks: those before this one.
    ///   - random: a random word, another one for each row.
    package func backoff(checks: Int, random: UInt64) -> Duration {
        let window = min(pause * Double(1 << min(max(checks, 0), 16)), pauseLimit)
        return window / 2 + .microseconds(Int64(random % UInt64(max((window / 2).microseconds, 1))))
    }
}

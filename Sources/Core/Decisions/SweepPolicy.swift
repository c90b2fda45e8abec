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

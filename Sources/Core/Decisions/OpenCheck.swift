/// A check of the reconciling sweep at operations that are open and due.
package struct OpenCheck: Sendable {
    /// The most rows.
    package let limit: Int
    /// Only what was due by then, on the store's clock; `nil` for now. A run passes the time of its first check, so
    /// that it ends.
    package let dueBy: Timestamp?
    /// Names the attempts that this check starts.
    package let token: ClaimToken
    package let lease: Duration
    package let policy: SweepPolicy
    /// A fresh random word.
    package let random: UInt64

    package init(
        limit: Int,
        dueBy: Timestamp?,
        token: ClaimToken,
        lease: Duration,
        policy: SweepPolicy,
        random: UInt64
    ) {
        self.limit = limit
        self.dueBy = dueBy
        self.token = token
        self.lease = lease
        self.policy = policy
        self.random = random
    }
}

/// What a check found. Each row that it checked has a new time at which it is due next
/// (docs/correctness.md#starving-sweeps).
package struct OpenFindings: Hashable, Sendable {
    /// The store's time of the check.
    package let now: Timestamp
    /// Ours now: to be asked again, or, where the card is gone, to be given up.
    package var claims: [Claim] = []
    /// How many rest, or are somebody else's, or wait for their redelivery.
    package var waiting = 0
    /// How many had ended without a word, and are reported by way of the outbox now.
    package var notified = 0
    /// How many were done with already, and are forgotten.
    package var forgotten = 0

    package init(now: Timestamp) {
        self.now = now
    }

    /// Rows of this check.
    package var count: Int { claims.count + waiting + notified + forgotten }
}

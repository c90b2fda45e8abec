/// A check of the expiring sweep at authorizations that are past their expiry.
package struct AuthorizationCheck: Sendable {
    package let limit: Int
    /// What expired by then is due: the bank's clock less the grace period (docs/correctness.md#expiry-needs-proof).
    package let expiredBy: Timestamp
    /// Whether what has expired is to be voided.
    package let voidsExpired: Bool
    package let policy: SweepPolicy
    /// A fresh random word.
    package let random: UInt64

    package init(limit: Int, expiredBy: Timestamp, voidsExpired: Bool, policy: SweepPolicy, random: UInt64) {
        self.limit = limit
        self.expiredBy = expiredBy
        self.voidsExpired = voidsExpired
        self.policy = policy
        self.random = random
    }
}

/// What a check found. Each row that it checked is due later, or never again (docs/correctness.md#starving-sweeps).
package struct AuthorizationFindings: Hashable, Sendable {
    /// The bank is to be asked about these.
    package var needingCheck: [Payment] = []
    /// Their hold is to be voided.
    package var voidable: [Payment] = []
    /// How many have an operation under way.
    package var waiting = 0
    /// How many have come to another end.
    package var forgotten = 0

    package init() {}

    /// Rows of this check.
    package var count: Int { needingCheck.count + voidable.count + waiting + forgotten }
}

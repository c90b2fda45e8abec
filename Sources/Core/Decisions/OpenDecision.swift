/// What the reconciling sweep does with an operation that was due. Shared by every store, so that all decide alike.
package enum OpenDecision: Hashable, Sendable {
    /// Its outcome is stored, or it needs manual review, and that is reported.
    case forget
    /// It has ended, and nobody has noted that it was reported: whoever ended it is gone, and perhaps its delivery,
    /// too. Or its events are due.
    case notify
    case wait(until: Timestamp)
    /// Taken over, as it is from now on; checked again at `next` if it is open still. `SENT`: to be sent again, or
    /// given up; `UNKNOWN`: to be asked by its key.
    case take(Operation, next: Timestamp)

    /// - Parameters:
    ///   - operation: as it is, under the lock of its payment.
    ///   - checks: before this one.
    ///   - check: what the sweep asks for.
    ///   - now: the store's clock: leases are judged by it alone (docs/correctness.md#takeover,
    ///     docs/correctness.md#whose-clock).
    package init(_ operation: Operation, checks: Int, _ check: OpenCheck, now: Timestamp) {
        let random = check.random ^ operation.id.value.low
        let next = now.advanced(by: check.policy.backoff(checks: checks, random: random))
        switch operation.state {
        case .succeeded, .declined, .rejected, .needsAttention:
            if operation.isNotified {
                self = operation.areEventsDue ? .notify : .forget
            } else if checks > 0, operation.leaseUntil <= now {
                self = .notify
            } else {
                // Whoever has ended it may be about to report.
                self = .wait(until: max(operation.leaseUntil, next))
            }
        case .sent, .unknown:
            if operation.leaseUntil > now {
                // A delivery is working on it, or its key rests.
                self = .wait(until: max(operation.leaseUntil, next))
            } else if operation.kind == .authorize, !Self.isAbandoned(operation, checks: checks, check.policy, now) {
                // The card is gone with its delivery, which may come back, or be replayed. Until then it can be asked by its key.
                let end = (operation.firstSentAt ?? operation.createdAt).advanced(by: check.policy.abandonAfter)
                // Also where nothing was sent by what the row says: the store may have forgotten it.
                let taken = operation.takenForInquiry(by: check.token, lease: check.lease, now: now)
                self = .take(taken, next: max(taken.leaseUntil, end > now ? min(next, end) : next))
            } else {
                let taken = operation.taken(by: check.token, lease: check.lease, now: now)
                self = .take(taken, next: max(taken.leaseUntil, next))
            }
        }
    }

    private static func isAbandoned(
        _ operation: Operation,
        checks: Int,
        _ policy: SweepPolicy,
        _ now: Timestamp
    ) -> Bool {
        let age = (operation.firstSentAt ?? operation.createdAt).duration(to: now)
        let mayHaveBeenSent = operation.isAmbiguous || operation.state == .sent
        return age >= policy.abandonAfter && (mayHaveBeenSent || checks >= policy.abandonChecks)
    }
}

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

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

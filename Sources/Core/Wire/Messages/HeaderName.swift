/// The names of the headers, in one place (docs/contract.md#commands, docs/contract.md#replies).
package enum HeaderName {
    package static let paymentID = "payment-id"
    package static let idempotencyKey = "idempotency-key"
    package static let merchantID = "merchant-id"
    package static let deadline = "deadline"
    package static let traceparent = "traceparent"
    package static let idempotentReplayed = "idempotent-replayed"
    /// On a reply: the command named a reply queue that is not allowed.
    package static let replyToIgnored = "reply-to-ignored"
    package static let errorCode = "error-code"
    package static let errorMessage = "error-message"

    /// Ours, on a deferred copy: since when, in microseconds since the epoch, it has been waiting for another command
    /// of its payment (docs/correctness.md#busy-payment).
    package static let waitingSince = "waiting-since"

    /// Ours, on a deferred copy: what waited before it then, a number (docs/correctness.md#lost-places).
    package static let waitingLine = "waiting-line"

    /// Ours, on a deferred copy: how often it was deferred because its outcome is not known.
    package static let deferrals = "parks"

    /// Ours, on a copy: the broker gave the command up as expired before anybody handled it.
    package static let expiredUnseen = "expired-unseen"

    /// Ours, on a copy of a command that no queue took: since when, in microseconds since the epoch.
    package static let unroutedSince = "unrouted-since"

    /// Ours, on a dead letter: names the failure, so that a dead letter that is published twice is one row.
    package static let failureInstance = "failure-instance"
    /// Ours, on a dead letter: when it failed, in microseconds since the epoch.
    package static let failedAt = "failed-at"
    /// Ours, on a replayed copy: the dead letter that it was. Survives a deferral, so that a second failure can be
    /// linked.
    package static let replayOf = "replay-of"

    /// Ours, on a copy: the `user_id` of its command, which we may not publish under.
    package static let publishedBy = "published-by"

    /// Ours, on a copy that has any of the others: shows that they are ours, see `CopyMarks`.
    package static let copyMark = "copy-mark"

    /// Those of a command whose values name something, and stay as they are.
    package static let ids: Set<String> = [paymentID, idempotencyKey, merchantID, deadline, traceparent]

    /// Those of ours that `copyMark` covers. Not `waitingLine`: it is of no use to anybody who does not know the store, and a processor of
    /// the version before could not check the mark (docs/operations.md#upgrade).
    package static let marked = bookkeeping.subtracting([waitingLine, copyMark])

    /// What we have added to a message on its way: no part of the command.
    package static let bookkeeping: Set<String> = [
        waitingSince, waitingLine, deferrals, expiredUnseen, unroutedSince, errorCode, errorMessage, failureInstance,
        failedAt,
        replayOf, publishedBy,
        copyMark,
    ]
}

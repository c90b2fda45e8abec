/// What becomes of a delivery: each of them is carried out, confirmed, and only then acknowledged.
package indirect enum Disposition: Hashable, Sendable {
    /// Send this reply. `completes`: the operation whose stored outcome it is.
    case reply(OutgoingReply, Label, completes: Operation?)
    /// Put a clean copy on a retry tier; perhaps tell the client that nothing is known yet.
    case deferred(RetryTier, reason: String, provisional: OutgoingReply?, RetryState)
    /// Put a clean copy at the end of the queues: the broker has let it overtake others
    /// (docs/correctness.md#order-lost-at-the-broker).
    case requeue
    /// It needs manual review. `instance`: names the failure, so that publishing it again is harmless; `nil` where the
    /// message's own content does. `ends`: the operation that is told to be in need of manual review by it.
    case deadLetter(
        code: String,
        message: String,
        provisional: OutgoingReply?,
        instance: String? = nil,
        ends: Operation? = nil
    )

    /// No, and the no is not stored.
    static func rejecting(_ command: Command, _ code: RejectionCode, _ payment: Payment?) -> Disposition {
        let reply = Reply(
            operation: command.kind,
            outcome: .rejected,
            error: ReplyError(code),
            payment: payment,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
        return .reply(.unstored(reply, to: command), .rejected, completes: nil)
    }

    /// The stored outcome.
    static func answering(_ command: Command, with operation: Operation, isReplay: Bool) -> Disposition {
        let reply = OutgoingReply.final(operation.reply ?? [], of: operation, to: command, replayed: isReplay)
        return .reply(reply, isReplay ? .replayed : .rejected, completes: operation)
    }

    /// Nobody can be notified: a dead letter that names the field.
    static func unanswerable(_ problem: InvalidField, instance: String?) -> Disposition {
        .deadLetter(
            code: RejectionCode.invalidCommand.rawValue,
            message: problem.description,
            provisional: nil,
            instance: instance
        )
    }

    /// Whether it waits for what is under way elsewhere, and may be over any moment. What waits for an authorize that nobody knows has to
    /// wait a retry tier for it (docs/contract.md#whose-payment).
    var waitsForOthers: Bool {
        guard case .deferred(_, let reason, _, _) = self else { return false }
        let isOfPayment = [WaitReason.paymentInProgress, .earlierCommand].contains { $0.rawValue == reason }
        return isOfPayment || waitsForKey
    }

    /// Whether its own key is held by somebody else's claim, or rests.
    var waitsForKey: Bool {
        guard case .deferred(_, let reason, _, _) = self else { return false }
        return reason == CommandHandler.keyInProgress
    }

    /// For the log line and the metric of a reply.
    package enum Label: String, Sendable {
        case succeeded, declined, rejected, unknown, replayed
    }

    /// The bounded name of this outcome.
    package var label: String {
        switch self {
        case .reply(_, let label, _): label.rawValue
        case .deferred, .requeue: "parked"
        case .deadLetter: "dead_lettered"
        }
    }
}

/// What our own headers on a deferred copy tell about its travels. Whatever a client writes into them does no harm.
package struct RetryState: Hashable, Sendable {
    /// Since when it has been waiting for another command of its payment, if it has.
    package let waitingSince: Timestamp?
    /// How often it was deferred because its outcome was not known.
    package let deferrals: Int
    /// What waited before it when it was deferred last, where it waits for others.
    let line: LineMark?
    /// Whether it had expired before anybody handled it: nothing new is begun for it.
    package let hasExpired: Bool
    /// Since when it has been looked at again and again here, where it has: known to this delivery only.
    var heldSince: Timestamp?

    package init(
        waitingSince: Timestamp? = nil,
        deferrals: Int = 0,
        line: LineMark? = nil,
        hasExpired: Bool = false
    ) {
        self.waitingSince = waitingSince
        self.line = line
        self.deferrals = deferrals
        self.hasExpired = hasExpired
    }

    package init(_ message: Message) {
        waitingSince = message.headers[HeaderName.waitingSince]?.integer.map(Timestamp.init(microseconds:))
        deferrals = message.headers[HeaderName.deferrals]?.integer.map { Int(min(max($0, 0), 1_000_000)) } ?? 0
        line = message.headers[HeaderName.waitingLine]?.integer.map(LineMark.init(value:))
        hasExpired = message.headers[HeaderName.expiredUnseen] == .bool(true)
    }

    /// Of a copy that is deferred once more, because its outcome is not known or the store refuses it.
    var deferredAgain: RetryState { RetryState(deferrals: deferrals + 1, hasExpired: hasExpired) }

    /// Of a copy that waits for others of its payment.
    func waiting(since: Timestamp) -> RetryState {
        RetryState(waitingSince: since, deferrals: deferrals, hasExpired: hasExpired)
    }

    /// The same, with what waits before it.
    func waiting(behind line: LineMark?) -> RetryState {
        RetryState(waitingSince: waitingSince, deferrals: deferrals, line: line, hasExpired: hasExpired)
    }

    /// Of a copy that an outage defers: the time that it lasts is no time of waiting for others.
    var deferredByOutage: RetryState { RetryState(deferrals: deferrals, hasExpired: hasExpired) }

    /// Of a copy of a command that the broker gave up as expired.
    var expired: RetryState { RetryState(waitingSince: waitingSince, deferrals: deferrals, hasExpired: true) }

    /// Replaces the headers that a copy has from before.
    func write(to message: inout Message) {
        message.headers[HeaderName.waitingSince] = waitingSince.map { .integer($0.microseconds) }
        message.headers[HeaderName.waitingLine] = line.map { .integer($0.value) }
        message.headers[HeaderName.deferrals] = deferrals > 0 ? .integer(Int64(deferrals)) : nil
        message.headers[HeaderName.expiredUnseen] = hasExpired ? .bool(true) : nil
    }
}

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

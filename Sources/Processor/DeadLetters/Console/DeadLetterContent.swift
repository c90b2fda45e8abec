import Core

/// The page of one dead letter.
struct DeadLetterContent: Sendable {
    let id: String
    let code: String
    let state: String
    let message: String
    let meaning: String
    let operationNote: String?
    let canAct: Bool
    let canReplay: Bool
    let review: String?
    let facts: [Fact]
    let headers: [Fact]
    let body: String
    let hasAudit: Bool
    let audit: [Entry]
    let commands: [CommandText]

    struct Entry: Sendable {
        let at: TimeText
        let who: String
        let action: String
        let result: String
        let reason: String
    }

    init(_ view: DeadLetterView, canAct: Bool, now: Timestamp) {
        let deadLetter = view.deadLetter
        let (command, content) = (deadLetter.command, deadLetter.content)
        id = deadLetter.id.description
        code = deadLetter.failure.code
        state = deadLetter.state.rawValue
        message = deadLetter.failure.message
        meaning = DeadLetterCode(rawValue: deadLetter.failure.code)?.meaning ?? ""
        let isInReview = view.operation == .needsAttention
        operationNote =
            isInReview ? "Its operation needs manual review: replaying or resolving ends it, discarding does not." : nil
        self.canAct = canAct && !deadLetter.state.isClosed
        canReplay = content.isReplayable
        if isInReview, let payment = command.paymentID, let key = command.idempotencyKey {
            let merchant = (command.merchantID ?? .default).description
            review = ReviewPages.path(payment, key: key.description, merchant: merchant)
        } else {
            review = nil
        }
        facts = Self.facts(view)
        headers = content.message.headers.sorted { $0.key < $1.key }.map { Fact($0.key, Self.text(of: $0.value)) }
        body = Self.body(of: deadLetter)
        audit = view.audit.map { entry in
            Entry(
                at: TimeText(entry.at, now: now),
                who: entry.actor,
                action: entry.action,
                result: entry.result,
                reason: entry.reason ?? ""
            )
        }
        hasAudit = !audit.isEmpty
        commands =
            [CommandText(["dead-letters", "show", id])]
            + (deadLetter.state.isClosed
                ? []
                : [
                    CommandText(["dead-letters", "replay", id, "--dry-run"]),
                    CommandText(["dead-letters", "replay", id, "--confirm", "1"]),
                    CommandText(["dead-letters", "discard", id, "--reason", "ticket 4711", "--confirm", "1"]),
                ])
    }

    private static func facts(_ view: DeadLetterView) -> [Fact] {
        let deadLetter = view.deadLetter
        let (command, message) = (deadLetter.command, deadLetter.content.message)
        let payment = command.paymentID?.description
        let origin = deadLetter.replayOf?.description
        let skip: ReplaySkip = deadLetter.content.card == nil ? .incomplete : .cardReduced
        let facts: [Fact?] = [
            Fact("Dead letter", deadLetter.id.description, isID: true),
            Fact("Since", TimeText.second(deadLetter.failure.at)),
            Fact("Given up by", deadLetter.failure.source.rawValue),
            Fact("Replayable", deadLetter.content.isReplayable ? "yes" : "no: \(skip.explanation)"),
            Fact.optional("Replay of", origin, isID: true, path: origin.map { "\(DeadLetterPages.path)/\($0)" }),
            Fact.optional("Operation", command.kind?.rawValue), Fact.optional("Its state", view.operation?.rawValue),
            Fact.optional("Payment", payment, isID: true, path: payment.map { "/console/payments/\($0)" }),
            Fact.optional("Merchant", command.merchantID?.description),
            Fact.optional("Idempotency key", command.idempotencyKey?.description, isID: true),
            Fact.optional("Card", deadLetter.content.card), Fact.optional("Type", message.type),
            Fact.optional("Message id", message.messageID, isID: true),
            Fact.optional("Correlation id", message.correlationID?.description, isID: true),
            Fact.optional("Reply to", message.replyTo, isID: true), Fact.optional("Content type", message.contentType),
        ]
        return facts.compactMap(\.self)
    }

    private static func body(of deadLetter: DeadLetter) -> String {
        if case .string(let text) = deadLetter.bodyJSON { return text.isEmpty ? "(empty)" : text }
        return String(decoding: deadLetter.bodyJSON.encoded, as: UTF8.self)
    }

    private static func text(of value: HeaderValue) -> String {
        switch value {
        case .string(let text): text
        case .integer(let number): "\(number)"
        case .bool(let flag): "\(flag)"
        case .other: "(another type)"
        }
    }
}

extension DeadLetterCode {
    /// What happened, and what to do, in a sentence (docs/operations.md#dead-letters).
    var meaning: String {
        switch self {
        case .invalidCommand:
            "It cannot be answered: its type or key is missing or wrong. Have the sender correct it and send it again, then discard."
        case .needsAttention:
            "The bank's answers prove nothing. Compare with the bank; replay where the same key may tell, else resolve."
        case .deliveryLimit:
            "It was delivered too often, most often beside a message that crashed the processor. Read the log of that time, then replay."
        case .unrouted: "No command queue was bound for ten minutes. Run processor topology, then replay."
        case .unpublishable:
            "What was to become of it could not be published. The log has the reason; fix it, then replay."
        case .storeRefused: "The database refused to write about it. The log has the SQLSTATE; fix it, then replay."
        case .storeUnreadable: "The database holds something that this version cannot read. The log says what."
        case .expired: "Its time at the broker was over. Have it sent again, then discard."
        case .maxlen: "A policy limits the length of its queue. Remove the policy, then replay."
        case .unknown:
            "The broker gave it up for another reason, which the message names. Remove the cause, then replay."
        }
    }
}

import Core

/// A moment of a payment's life.
struct TimelineEntry: Sendable {
    let instant: Timestamp
    /// A word for what kind of moment it is.
    let kind: String
    let what: String
    let detail: String
    /// `good`, `wait` or `act`; empty where it is none of these.
    let tone: String
    var path: String?
    var pathText: String?
    let at: TimeText

    init(
        _ instant: Timestamp,
        _ kind: String,
        _ what: String,
        _ detail: String = "",
        tone: String = "",
        path: String? = nil,
        pathText: String? = nil
    ) {
        self.instant = instant
        self.kind = kind
        self.what = what
        self.detail = detail
        self.tone = tone
        self.path = path
        self.pathText = pathText
        at = TimeText(instant)
    }
}

extension PaymentFacts {
    /// Every transition, every request to the bank, every action, every word to the client. Oldest first.
    var timeline: [TimelineEntry] {
        // First, because a request may leave only after the transition that goes with it.
        var entries = view.history.map(Self.entry(of:))
        entries += view.operations.flatMap(requestEntries(of:))
        entries += view.attempts.map(Self.entry(of:))
        entries += view.operations.flatMap(stepEntries(of:))
        entries += deadLetters.map { deadLetter in
            TimelineEntry(
                deadLetter.failure.at,
                "dead letter",
                deadLetter.failure.code,
                deadLetter.failure.message,
                tone: deadLetter.state.isClosed ? "" : "act",
                path: "/console/dead-letters/\(deadLetter.id)",
                pathText: deadLetter.state.rawValue
            )
        }
        entries += view.replays.map { replay in
            TimelineEntry(
                replay.at,
                "replay",
                replay.result,
                "by \(replay.actor)",
                path: "/console/dead-letters/\(replay.deadLetterID)",
                pathText: "dead letter"
            )
        }
        entries += trace.waiting.map { waiting in
            TimelineEntry(
                waiting.since,
                "waits",
                waiting.kind.rawValue,
                "on the retry tier \(waiting.tier.rawValue), key \(waiting.idempotencyKey)",
                tone: "wait"
            )
        }
        // Stable: what happened at the same time stays in the order above.
        return entries.enumerated().sorted { ($0.element.instant, $0.offset) < ($1.element.instant, $1.offset) }
            .map(\.element)
    }

    private static func entry(of entry: HistoryEntry) -> TimelineEntry {
        guard entry.from != entry.to else {
            return TimelineEntry(entry.at, "note", entry.cause, "(\(entry.operation.rawValue))")
        }
        let path = "\(entry.from.map { "\($0.rawValue) → " } ?? "")\(entry.to.rawValue)"
        return TimelineEntry(entry.at, "state", path, entry.cause)
    }

    private static func entry(of attempt: BankAttemptRecord) -> TimelineEntry {
        var details: [String] = []
        details.append(attempt.status.map { "HTTP \($0)" } ?? "no complete answer")
        if let code = attempt.code { details.append(code) }
        if let tier = attempt.tier { details.append("again after \(tier.rawValue)") }
        let tone =
            switch attempt.verdict {
            case .succeeded: "good"
            case .needsAttention: "act"
            case .ambiguous, .notSent, .notExecuted, .keyUnknown: "wait"
            case .declined, .expired: ""
            }
        return TimelineEntry(
            attempt.at,
            "bank",
            "\(attempt.operation.rawValue): \(attempt.verdict.words)",
            details.joined(separator: ", "),
            tone: tone
        )
    }

    /// What of the payment is in the outbox; `nil` where nothing is.
    var whatWaits: String? {
        let waiting = trace.outbox.filter { $0.value > 0 }.sorted { $0.key < $1.key }
        guard !waiting.isEmpty else { return nil }
        let words = waiting.map { destination, count in
            switch destination {
            case "event": CountText.of(count, "event")
            case "dead_letter": CountText.of(count, "dead letter")
            default: CountText.of(count, "reply", "replies")
            }
        }
        return "\(words.joined(separator: ", ")) in the outbox"
    }

    /// What is known of requests before any answer: from when on there may be some, and how many nobody has heard of again.
    private func requestEntries(of operation: Operation) -> [TimelineEntry] {
        guard let noted = operation.firstSentAt else { return [] }
        // Noted at the beginning of the claim, which must be stored with its transition before anything is sent.
        let claimed = view.history.first {
            $0.operation == operation.kind && $0.from != $0.to && $0.at >= operation.createdAt
        }
        let sent = max(noted, claimed?.at ?? noted)
        let kind = operation.kind.rawValue
        var entries = [TimelineEntry(sent, "bank", "\(kind): may be sent from now on")]
        let lost = requestsWithoutAnswer(of: operation)
        if lost > 0 {
            entries.append(
                TimelineEntry(
                    sent,
                    "bank",
                    "\(kind): \(CountText.of(lost, "request")) without a known answer",
                    "whoever may have sent \(lost == 1 ? "it" : "them") since then was gone before noting what came",
                    tone: operation.isOpen ? "wait" : ""
                )
            )
        }
        return entries
    }

    /// Those whose processor was killed, or lost its lease: each that may have been executed is counted with its operation, but none of
    /// these has a row of its own.
    private func requestsWithoutAnswer(of operation: Operation) -> Int {
        let isAbandoned = operation.state == .sent && operation.leaseUntil <= now
        let known = view.attempts.count {
            $0.operation == operation.kind && $0.idempotencyKey == operation.idempotencyKey && $0.verdict == .ambiguous
        }
        return operation.sends.unanswered + operation.sends.failed + (isAbandoned ? 1 : 0) - known
    }

    private func stepEntries(of operation: Operation) -> [TimelineEntry] {
        var entries: [TimelineEntry] = []
        guard let steps = steps(of: operation) else { return entries }
        if let completed = steps.completedAt {
            let words = "\(operation.kind.rawValue): \(operation.state.rawValue)"
            entries.append(TimelineEntry(completed, "outcome", words, "stored with its reply"))
        }
        if let undeliverable = steps.undeliverableAt {
            let detail = "its reply queue is gone; the same key fetches the reply"
            entries.append(
                TimelineEntry(undeliverable, "client", "\(operation.kind.rawValue): not reached", detail, tone: "wait")
            )
        } else if let notified = steps.notifiedAt {
            entries.append(TimelineEntry(notified, "client", "\(operation.kind.rawValue): notified", "", tone: "good"))
        } else if let completed = steps.completedAt, !operation.isNotified {
            let words = "\(operation.kind.rawValue): not notified yet"
            entries.append(TimelineEntry(completed, "client", words, whatWaits ?? "a sweep sees to it", tone: "wait"))
        }
        return entries
    }
}

extension BankCallVerdict {
    /// For an operator.
    fileprivate var words: String {
        switch self {
        case .succeeded: "succeeded"
        case .declined: "declined"
        case .expired: "expired"
        case .ambiguous: "outcome not known"
        case .notSent: "not sent"
        case .notExecuted: "not executed"
        case .keyUnknown: "the bank does not know the key"
        case .needsAttention: "needs review"
        }
    }
}

import Core

/// Dead letters as an operator reads them.
enum DeadLetterText {
    /// "3 dead letters match", for what asks for consent.
    static func matching(_ count: Int) -> String {
        switch count {
        case 0: "no dead letters match"
        case 1: "1 dead letter matches"
        default: "\(count) dead letters match"
        }
    }

    static func table(of page: DeadLetterPage) -> String {
        guard !page.deadLetters.isEmpty else { return "no dead letters" }
        let header = [
            "DEAD LETTER", "STATE", "CODE", "OPERATION", "PAYMENT", "MERCHANT", "CARD", "DEAD-LETTERED", "REPLAYABLE",
            "MESSAGE",
        ]
        let rows = page.deadLetters.map { deadLetter in
            [
                deadLetter.id.description, deadLetter.state.rawValue, deadLetter.failure.code,
                deadLetter.command.kind?.rawValue ?? "-",
                deadLetter.command.paymentID?.description ?? "-", deadLetter.command.merchantID?.description ?? "-",
                deadLetter.content.card ?? "-", deadLetter.failure.at.description,
                deadLetter.content.isReplayable ? "yes" : "no",
                deadLetter.failure.message,
            ]
        }
        let more = page.next.map { ["", "more: --cursor \($0)"] } ?? []
        return (TextTable.lines([header] + rows) + more).joined(separator: "\n")
    }

    static func details(of view: DeadLetterView) -> String {
        let (deadLetter, message) = (view.deadLetter, view.deadLetter.content.message)
        let facts: [(String, String?)] = [
            ("dead letter", deadLetter.id.description),
            ("state", deadLetter.state.rawValue),
            ("code", deadLetter.failure.code),
            ("message", deadLetter.failure.message),
            ("source", deadLetter.failure.source.rawValue),
            ("dead-lettered", deadLetter.failure.at.description),
            ("replayable", replayable(deadLetter)),
            ("replay of", deadLetter.replayOf?.description),
            ("operation", deadLetter.command.kind?.rawValue),
            ("its state", view.operation.map(Self.state)),
            ("payment", deadLetter.command.paymentID?.description),
            ("merchant", deadLetter.command.merchantID?.description),
            ("idempotency key", deadLetter.command.idempotencyKey?.description),
            ("card", deadLetter.content.card),
            ("type", message.type),
            ("message id", message.messageID),
            ("correlation id", message.correlationID?.description),
            ("reply to", message.replyTo),
            ("content type", message.contentType),
            ("content encoding", message.contentEncoding),
        ]
        let headers = message.headers.sorted { $0.key < $1.key }.map { [$0.key, text(of: $0.value)] }
        let audit = view.audit.map { entry in
            [entry.at.description, entry.actor, entry.action, entry.result, entry.reason ?? "-"]
        }
        return [
            TextTable.lines(facts.compactMap { name, value in value.map { [name, $0] } }).joined(separator: "\n"),
            TextTable.section("Headers", nil, headers),
            TextTable.section("Body", nil, message.body.isEmpty ? [] : [[body(of: deadLetter)]]),
            TextTable.section("Audit", ["AT", "WHO", "ACTION", "RESULT", "REASON"], audit),
        ].joined(separator: "\n\n")
    }

    static func statistics(_ counts: [String: Int]) -> String {
        guard !counts.isEmpty else { return "no open dead letters" }
        let rows = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map { [$0.key, "\($0.value)"] }
        let total = counts.values.reduce(0, +)
        return TextTable.lines([["CODE", "OPEN"]] + rows + [["total", "\(total)"]]).joined(separator: "\n")
    }

    private static func state(of operation: OperationState) -> String {
        operation == .needsAttention
            ? "\(operation.rawValue): still open, which `processor payments resolve` ends" : operation.rawValue
    }

    private static func replayable(_ deadLetter: DeadLetter) -> String {
        if deadLetter.content.isReplayable { return "yes" }
        let skip: ReplaySkip = deadLetter.content.card == nil ? .incomplete : .cardReduced
        return "no: \(skip.explanation)"
    }

    private static func body(of deadLetter: DeadLetter) -> String {
        if case .string(let text) = deadLetter.bodyJSON { return text }
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

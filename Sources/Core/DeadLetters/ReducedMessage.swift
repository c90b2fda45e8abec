/// A message without card data and without what must not travel (docs/correctness.md#copied-headers): what may be
/// stored and shown (docs/correctness.md#no-card-data-at-rest).
package struct ReducedMessage: Hashable, Sendable {
    package let message: Message
    /// BIN and last four, `411111******1111`; `nil` where the body held no well-formed card number.
    package let card: String?
    /// Whether it is still the command that it was, so that publishing it again makes sense.
    package let isReplayable: Bool

    /// - Parameters:
    ///   - message: as it arrived.
    ///   - kind: what it asks for, where its type tells: what a command of that kind does not read may be missing.
    package init(_ message: Message, kind: OperationKind?) {
        var text = TextReduction()
        var copy = message.cleanCopy()
        copy.type = text.reduced(copy.type)
        copy.contentType = text.reduced(copy.contentType)
        copy.contentEncoding = text.reduced(copy.contentEncoding)
        copy.messageID = text.reduced(copy.messageID)
        copy.correlationID = text.reduced(copy.correlationID)
        // What cannot be read can be neither searched for a card number nor kept as text.
        if !copy.unreadable.isEmpty { text.lose() }
        copy.replyTo = text.reduced(copy.replyTo)
        copy.headers = copy.headers.reduce(into: [:]) { headers, header in
            guard !HeaderName.bookkeeping.contains(header.key) else { return }
            headers[text.reduced(header.key)] = text.reduced(header.value)
        }
        let body = BodyReduction(message.body, encoding: message.contentEncoding)
        copy.body = body.bytes
        self.message = copy
        card = body.card
        switch body.loss {
        case .nothing: isReplayable = !text.hasLost
        case .unread: isReplayable = !text.hasLost && kind != nil
        case .card: isReplayable = !text.hasLost && kind != nil && kind != .authorize
        case .content: isReplayable = false
        }
    }

    /// - Parameters:
    ///   - message: read back from the store, which only holds what was reduced on its way in.
    ///   - card: BIN and last four, as stored with it.
    ///   - isReplayable: whether nothing that the command needs was taken out.
    package init(verified message: Message, card: String?, isReplayable: Bool) {
        self.message = message
        self.card = card
        self.isReplayable = isReplayable
    }

    package static let nothing = ReducedMessage(verified: Message(), card: nil, isReplayable: false)
}

/// Reduces the texts of an envelope, and remembers whether that took something away.
private struct TextReduction {
    private(set) var hasLost = false

    mutating func lose() { hasLost = true }

    mutating func reduced(_ text: String?) -> String? { text.map { reduced($0) } }

    /// It stays byte for byte, unless there is a card number in it.
    mutating func reduced(_ id: CorrelationID?) -> CorrelationID? {
        guard let id else { return nil }
        let text = String(decoding: id.bytes, as: UTF8.self)
        guard UniqueID(text) == nil, CardDigits.masked(text) != text else { return id }
        return CorrelationID(reduced(text))
    }

    /// Without digits that look like a card number, and without the one character that PostgreSQL cannot hold.
    mutating func reduced(_ text: String) -> String {
        // Ids are hexadecimal: some of them have a run of digits that looks like a card number.
        guard UniqueID(text) == nil, TraceParent.wellFormed(text) == nil else { return text }
        let reduced = CardDigits.masked(text.replacing("\0", with: "\u{fffd}"))
        if reduced != text { hasLost = true }
        return reduced
    }

    mutating func reduced(_ value: HeaderValue) -> HeaderValue {
        switch value {
        case .string(let text): return .string(reduced(text))
        case .integer(let number):
            let digits = String(number)
            let reduced = reduced(digits)
            return reduced == digits ? value : .string(reduced)
        case .bool, .other: return value
        }
    }
}

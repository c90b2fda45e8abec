/// A message without card data and without what must not travel (docs/correctness.md#copied-headers): what may be
/// stored and shown (docs/correctness.md#no-card-data-at-rest).
package struct ReducedMessage: Hashable, Sendable {
    package let message: Message
    /// BIN and last four, `411111******1111`; `nil` where the body held no well-formed card number.
    package let card: String?
    /// Whether it is still the command that it was.
    package let isWhole: Bool
    /// What it lacks to be so: its card as its sender has sealed it. Kept until `SealedCardErasure` says otherwise.
    package private(set) var sealedCard: String?

    /// Whether publishing it again makes sense.
    package var isReplayable: Bool { isWhole || sealedCard != nil }

    /// - Parameters:
    ///   - message: as it arrived.
    ///   - kind: what it asks for, where its type tells: what a command of that kind does not read may be missing.
    ///   - cards: opens a sealed card, to look for its number in the rest of the message.
    ///   - sealed: the sealed card of a valid authorize.
    package init(
        _ message: Message,
        kind: OperationKind?,
        opening cards: CardIntake = CardIntake(),
        keeping sealed: KeptCard? = nil
    ) {
        let cards = KnownCards(in: message.body, opening: cards)
        var text = TextReduction(cards: cards)
        var copy = message.cleanCopy()
        copy.type = kind == nil ? text.reduced(copy.type) : copy.type
        copy.contentType = text.reduced(copy.contentType)
        copy.contentEncoding = text.reduced(copy.contentEncoding)
        copy.messageID = text.kept(copy.messageID)
        copy.correlationID = text.kept(copy.correlationID)
        // What cannot be read can be neither searched for a card number nor kept as text.
        if !copy.unreadable.isEmpty { text.lose() }
        copy.replyTo = ReplyAddress.allowed(copy.replyTo) == nil ? text.reduced(copy.replyTo) : text.kept(copy.replyTo)
        copy.headers = copy.headers.reduce(into: [:]) { headers, header in
            // Who has published it, its replay must say, too.
            let isKept = header.key == HeaderName.publishedBy || !HeaderName.bookkeeping.contains(header.key)
            guard isKept else { return }
            if case .string(let value) = header.value, HeaderName.ids.contains(header.key) {
                headers[header.key] = .string(text.kept(value))
            } else {
                headers[text.reduced(header.key)] = text.reduced(header.value)
            }
        }
        let body = BodyReduction(message.body, encoding: message.contentEncoding, cards: cards)
        copy.body = body.bytes
        self.message = copy
        card = body.card ?? sealed?.masked
        sealedCard = text.hasLost || body.loss > .card ? nil : sealed?.token
        switch body.loss {
        case .nothing: isWhole = !text.hasLost
        case .unread: isWhole = !text.hasLost && kind != nil
        case .card: isWhole = !text.hasLost && kind != nil && kind != .authorize
        case .content: isWhole = false
        }
    }

    /// - Parameters:
    ///   - message: read back from the store, which only holds what was reduced on its way in.
    ///   - card: BIN and last four, as stored with it.
    ///   - isWhole: whether nothing that the command needs was taken out.
    ///   - sealedCard: as long as it is kept.
    package init(verified message: Message, card: String?, isWhole: Bool, sealedCard: String? = nil) {
        self.message = message
        self.card = card
        self.isWhole = isWhole
        self.sealedCard = sealedCard
    }

    mutating func eraseSealedCard() { sealedCard = nil }

    /// As it was, with its sealed card in its place.
    var copy: Message {
        guard let sealedCard, case .object(var members)? = try? JSONParser.parse(message.body) else { return message }
        var copy = message
        members[SealedCardProblem.field] = .string(sealedCard)
        copy.body = JSONValue.object(members).encoded
        return copy
    }

    package static let nothing = ReducedMessage(verified: Message(), card: nil, isWhole: false)
}

/// Reduces the texts of an envelope, and remembers whether that took something away.
private struct TextReduction {
    private let cards: KnownCards
    private(set) var hasLost = false

    init(cards: KnownCards) {
        self.cards = cards
    }

    mutating func lose() { hasLost = true }

    /// An id stays as it is, whatever it looks like, unless it holds the card number of its own body.
    mutating func kept(_ id: String) -> String {
        // The one character that PostgreSQL cannot hold.
        let kept = cards.masked(id.replacing("\0", with: "\u{fffd}"))
        if kept != id { hasLost = true }
        return kept
    }

    mutating func kept(_ id: String?) -> String? { id.map { kept($0) } }

    /// Byte for byte.
    mutating func kept(_ id: CorrelationID?) -> CorrelationID? {
        guard let id, cards.stand(in: id) else { return id }
        return CorrelationID(kept(String(decoding: id.bytes, as: UTF8.self)))
    }

    mutating func reduced(_ text: String?) -> String? { text.map { reduced($0) } }

    /// Without what looks like a card number.
    mutating func reduced(_ text: String) -> String {
        let reduced = CardDigits.masked(kept(text))
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

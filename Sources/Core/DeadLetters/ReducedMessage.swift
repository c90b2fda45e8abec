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

/// The sealed card of a valid authorize, which its dead letter keeps. That it has been opened proves that it is one: whatever else
/// stands in its place might hold anything.
package struct KeptCard: Hashable, Sendable {
    package let token: String
    /// BIN and last four of what is in it.
    package let masked: String

    /// - Parameters:
    ///   - body: as it arrived.
    ///   - parameters: decoded from it.
    /// - Returns: `nil` where the card came plain, or where its number stands in what of a sealed card is not encrypted.
    package init?(_ body: [UInt8], _ parameters: AuthorizeParameters) {
        guard let token = (try? JSONParser.parse(body))?[SealedCardProblem.field]?.string,
            let header = token.split(separator: ".").first.flatMap({ Base64URL.decoded($0) }),
            !KnownCards(parameters.card).stand(in: String(decoding: header, as: UTF8.self)),
            !KnownCards(parameters.card).stand(in: token)
        else { return nil }
        self.token = token
        masked = parameters.card.masked
    }
}

/// Why a dead letter loses the sealed card that it has kept (docs/contract.md#sealed-cards).
package enum SealedCardErasure: String, CaseIterable, Sendable {
    case closed = "the dead letter is closed"
    case completed = "its operation is complete"
    case expired = "its time is over"

    /// What the audit says of it.
    package static let action = "erase"
    package static let result = "erased"
    /// Who acts where nobody has asked for it.
    package static let actor = "retention"

    /// - Parameters:
    ///   - deadLetter: as it is in the store.
    ///   - operation: the one that is the dead letter's own.
    ///   - kept: for how long the store has had it.
    ///   - limit: how long it is kept at most.
    ///   - now: the store's clock.
    /// - Returns: `nil` where it holds none, or is to keep it. One that is being replayed keeps it until that has ended.
    package init?(
        _ deadLetter: DeadLetter,
        operation: Operation?,
        kept: Duration,
        limit: Duration,
        now: Timestamp
    ) {
        let deadLetter = deadLetter.seen(at: now)
        guard deadLetter.content.sealedCard != nil, deadLetter.state != .replaying else { return nil }
        if deadLetter.state.isClosed {
            self = .closed
        } else if operation?.state.isFinal == true {
            self = .completed
        } else if kept > limit {
            self = .expired
        } else {
            return nil
        }
    }
}

extension Message {
    /// The headers as listings show them and the store keeps them. One whose type means nothing to us is null.
    package var headersJSON: JSONValue {
        .object(
            headers.mapValues { value in
                switch value {
                case .string(let text): .string(text)
                case .integer(let number): .integer(number)
                case .bool(let flag): .bool(flag)
                case .other: .null
                }
            }
        )
    }
}

extension JSONValue {
    /// Read back; `nil` where it is no object of such values.
    package var headers: [String: HeaderValue]? {
        guard case .object(let members) = self else { return nil }
        var headers: [String: HeaderValue] = [:]
        for (name, value) in members {
            switch value {
            case .string(let text): headers[name] = .string(text)
            case .bool(let flag): headers[name] = .bool(flag)
            case .null: headers[name] = .other
            case .number:
                guard let number = value.integer else { return nil }
                headers[name] = .integer(number)
            case .array, .object: return nil
            }
        }
        return headers
    }
}

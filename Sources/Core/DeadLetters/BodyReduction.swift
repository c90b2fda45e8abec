/// Takes card data out of a body, whatever the body is (docs/correctness.md#no-card-data-at-rest).
///
/// Of a JSON object it knows the fields of a command (docs/contract.md#bodies); everything else, and every body that is
/// no JSON object, may hold a card number or a CVV anywhere, and loses its digits.
package struct BodyReduction {
    /// What is missing afterwards, from the least to the most.
    enum Loss: Int, Comparable {
        case nothing
        /// Fields that no command reads.
        case unread
        /// The card of an authorize.
        case card
        case content

        static func < (left: Loss, right: Loss) -> Bool { left.rawValue < right.rawValue }
    }

    let bytes: [UInt8]
    let card: String?
    let loss: Loss

    /// - Parameters:
    ///   - encoding: the message's `content_encoding`: a body that is compressed cannot be looked into.
    ///   - cards: those of the body.
    init(_ body: [UInt8], encoding: String?, cards: KnownCards) {
        if !ContentEncoding.isPlain(encoding), !body.isEmpty {
            (bytes, card, loss) = ([], nil, .content)
        } else if body.count <= BodyDecoder.maximumSize, let value = try? JSONParser.parse(body),
            case .object(let members) = value
        {
            var object = ObjectReduction(cards: cards)
            let reduced = object.reduced(members)
            bytes = object.loss == .nothing ? body : reduced.encoded
            card = object.card
            loss = object.loss
        } else {
            card = nil
            (bytes, loss) = Self.reducedText(body)
        }
    }

    /// Of a body that is stored: one that an earlier version has written keeps more of its card than this one does.
    package static func reduced(_ stored: [UInt8]) -> [UInt8] {
        BodyReduction(stored, encoding: nil, cards: KnownCards(in: stored)).bytes
    }

    private static func reducedText(_ body: [UInt8]) -> ([UInt8], Loss) {
        let start = body.prefix(BodyDecoder.maximumSize)
        let text = String(decoding: start, as: UTF8.self)
        let reduced = Digits.masked(text)
        let isWhole = start.count == body.count && text.utf8.elementsEqual(body)
        return reduced == text && isWhole ? (body, .nothing) : (Array(reduced.utf8), .content)
    }
}

/// The fields of a command's body, one rule each.
private struct ObjectReduction {
    private let cards: KnownCards
    private(set) var card: String?
    private(set) var loss = BodyReduction.Loss.nothing

    init(cards: KnownCards) {
        self.cards = cards
    }

    mutating func reduced(_ members: [String: JSONValue]) -> JSONValue {
        .object(
            members.reduce(into: [:]) { result, member in
                switch (member.key, member.value) {
                case ("card", .object(let fields)):
                    result["card"] = reducedCard(fields)
                    note(.card)
                case (SealedCardProblem.field, _): note(.card)
                case ("order_id", .string(let text)), ("customer_id", .string(let text)):
                    result[member.key] = .string(compare(cards.masked(text), text))
                case ("amount", .number(let token)) where !cards.stand(in: token) && member.value.integer != nil:
                    result[member.key] = member.value
                case (let name, _) where CardFields.isOfCard(name):
                    note(.unread)
                default:
                    let name = Digits.masked(member.key)
                    let value = Digits.masked(CardFields.removed(from: member.value))
                    if name != member.key || value != member.value {
                        note(Self.fields.contains(member.key) ? .content : .unread)
                    }
                    result[name] = value
                }
            }
        )
    }

    private static let fields: Set<String> = ["amount", "currency", "order_id", "customer_id", "card"]

    private mutating func note(_ loss: BodyReduction.Loss) {
        self.loss = max(self.loss, loss)
    }

    private mutating func compare(_ reduced: String, _ text: String) -> String {
        if reduced != text { note(.content) }
        return reduced
    }

    /// BIN and last four of a well-formed number, and nothing else: no CVV, no expiry, not even their names.
    private mutating func reducedCard(_ fields: [String: JSONValue]) -> JSONValue {
        card = fields["number"]?.string.flatMap(CardDetails.masked)
        return .object(card.map { ["number": .string($0)] } ?? [:])
    }
}

/// What stands on a card beside its number, wherever in a body it is named.
private enum CardFields {
    private static let names: Set<String> = [
        "cvv", "cvv2", "cvc", "cvc2", "security_code", "expiry", "expiry_date", "expiry_month", "expiry_year",
    ]

    static func isOfCard(_ name: String) -> Bool { names.contains(name.lowercased()) }

    static func removed(from value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool, .number, .string: value
        case .array(let elements): .array(elements.map(removed))
        case .object(let members):
            .object(members.filter { !isOfCard($0.key) }.mapValues(removed))
        }
    }
}

/// Takes the digits out of what may hold a card number or a CVV anywhere.
enum Digits {
    /// Fewer digits than this are no CVV.
    private static let harmless = 3

    /// Every digit starred out, of any script, where there are at least `least` of them.
    static func masked(_ text: String, from least: Int = harmless) -> String {
        guard text.unicodeScalars.count(where: isDigit) >= least else { return text }
        return String(String.UnicodeScalarView(text.unicodeScalars.map { isDigit($0) ? "*" : $0 }))
    }

    /// The same for every name, text and number in a JSON value. Digits count together: `["1","2","3"]` may be a CVV too.
    static func masked(_ value: JSONValue, from least: Int = harmless) -> JSONValue {
        count(value) >= least ? stripped(value) : value
    }

    private static func count(_ value: JSONValue) -> Int {
        switch value {
        case .null, .bool: 0
        case .number(let text), .string(let text): text.unicodeScalars.count(where: isDigit)
        case .array(let elements): elements.reduce(0) { $0 + count($1) }
        case .object(let members):
            members.reduce(0) { $0 + $1.key.unicodeScalars.count(where: isDigit) + count($1.value) }
        }
    }

    private static func stripped(_ value: JSONValue) -> JSONValue {
        switch value {
        case .null, .bool: value
        case .number(let token): .string(masked(token, from: 1))
        case .string(let text): .string(masked(text, from: 1))
        case .array(let elements): .array(elements.map(stripped))
        case .object(let members):
            .object(members.reduce(into: [:]) { $0[masked($1.key, from: 1)] = stripped($1.value) })
        }
    }

    private static func isDigit(_ scalar: Unicode.Scalar) -> Bool {
        scalar.isASCII ? ("0"..."9").contains(scalar) : scalar.properties.numericType != nil
    }
}

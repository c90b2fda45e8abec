/// Takes card data out of a body, whatever the body is (docs/correctness.md#no-card-data-at-rest).
///
/// Of a JSON object it knows the fields of a command (docs/contract.md#bodies); everything else, and every body that is
/// no JSON object, may hold a card number or a CVV anywhere, and loses its digits.
struct BodyReduction {
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
                case ("order_id", .string(let text)), ("customer_id", .string(let text)):
                    result[member.key] = .string(compare(cards.masked(text), text))
                case ("amount", .number(let token)) where !cards.stand(in: token) && member.value.integer != nil:
                    result[member.key] = member.value
                default:
                    let name = Digits.masked(member.key)
                    let value = Digits.masked(member.value)
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

    /// BIN and last four of a well-formed number, and an expiry that can be none but one; of everything else no digit.
    private mutating func reducedCard(_ fields: [String: JSONValue]) -> JSONValue {
        .object(
            fields.reduce(into: [:]) { result, field in
                switch field.key {
                case "number":
                    card = field.value.string.flatMap(CardDetails.masked)
                    result["number"] = .optional(card ?? field.value.string.map { Digits.masked($0, from: 1) })
                case "cvv":
                    result["cvv"] = .string("***")
                case "expiry_month" where field.value.integer.map { (1...12).contains($0) } == true,
                    "expiry_year" where field.value.integer.map { (2000...2099).contains($0) } == true:
                    result[field.key] = field.value
                default:
                    result[Digits.masked(field.key)] = Digits.masked(field.value, from: 1)
                }
            }
        )
    }
}

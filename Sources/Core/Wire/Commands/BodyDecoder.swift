/// The body of a command, by operation (docs/contract.md#bodies).
package enum BodyDecoder {
    /// In bytes.
    package static let maximumSize = 65_536

    /// - Parameters:
    ///   - cards: in what forms the card of an authorize is taken.
    ///   - paymentID: the command's, for which a sealed card must have been sealed.
    package static func parameters(
        _ kind: OperationKind,
        _ body: [UInt8],
        _ cards: CardIntake = CardIntake(),
        for paymentID: PaymentID
    ) throws(InvalidField) -> CommandParameters {
        let object = body.isEmpty && kind.needsNoBody ? .object([:]) : try object(body)
        switch kind {
        case .authorize: return .authorize(try authorize(object, cards, paymentID))
        case .capture: return .capture(amount: try optionalAmount(object))
        case .void: return .void
        case .refund: return .refund(amount: try optionalAmount(object))
        }
    }

    private static func object(_ body: [UInt8]) throws(InvalidField) -> JSONValue {
        guard body.count <= maximumSize else { throw InvalidField("body", "has more than \(maximumSize) bytes") }
        guard !body.isEmpty else { throw InvalidField("body", "is empty") }
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw InvalidField("body", error.description)
        }
        guard case .object = value else { throw InvalidField("body", "must be a JSON object") }
        return value
    }

    private static func authorize(
        _ object: JSONValue,
        _ cards: CardIntake,
        _ paymentID: PaymentID
    ) throws(InvalidField) -> AuthorizeParameters {
        AuthorizeParameters(
            orderID: try text(object, "order_id"),
            customerID: try text(object, "customer_id"),
            amount: try amount(object),
            // Last: what is wrong with the rest need not open it.
            card: try card(object, cards, paymentID)
        )
    }

    private static func text(_ object: JSONValue, _ name: String) throws(InvalidField) -> String {
        guard let value = object[name] else { throw InvalidField(name, "is missing") }
        guard let text = value.string, TextRule.holds(text, length: 1...128) else {
            throw InvalidField(name, "must be a string of 1 to 128 characters, none of them a control character")
        }
        return text
    }

    private static func amount(_ object: JSONValue) throws(InvalidField) -> Money {
        guard object["amount"] != nil else { throw InvalidField("amount", "is missing") }
        guard let money = Money(minorUnits: try minorUnits(object) ?? 0, currency: try currency(object)) else {
            throw InvalidField("amount", amountRule)
        }
        return money
    }

    private static func optionalAmount(_ object: JSONValue) throws(InvalidField) -> Int64? {
        _ = try currency(object)
        return try minorUnits(object)
    }

    /// An integer token; whatever was written as `5000.0` or `5e3` came from a program that keeps money in floats.
    private static func minorUnits(_ object: JSONValue) throws(InvalidField) -> Int64? {
        guard let value = object["amount"] else { return nil }
        guard let amount = value.integer, amount > 0 else { throw InvalidField("amount", amountRule) }
        return amount
    }

    private static let amountRule =
        "must be an integer from 1 to 9223372036854775807, in minor units, written with digits only"

    private static func currency(_ object: JSONValue) throws(InvalidField) -> Currency {
        guard let value = object["currency"] else { return .usd }
        guard let currency = value.string.flatMap(Currency.init(rawValue:)) else {
            throw InvalidField("currency", "must be USD or absent")
        }
        return currency
    }

    private static func card(
        _ object: JSONValue,
        _ cards: CardIntake,
        _ paymentID: PaymentID
    ) throws(InvalidField) -> CardDetails {
        guard let token = object[SealedCardProblem.field], !token.isNull else {
            if let card = object["card"], !card.isNull, !cards.acceptsPlain {
                throw InvalidField("card", "is not taken here: it must come as \(SealedCardProblem.field)")
            }
            return try card(object)
        }
        guard object["card"]?.isNull != false else {
            throw InvalidField(SealedCardProblem.field, "must not come together with card")
        }
        do throws(SealedCardProblem) {
            return try card(sealed: token, cards, paymentID)
        } catch {
            throw error.invalidField
        }
    }

    private static func card(
        sealed token: JSONValue,
        _ cards: CardIntake,
        _ paymentID: PaymentID
    ) throws(SealedCardProblem) -> CardDetails {
        let bytes = try cards.content(of: token)
        guard let content = try? JSONParser.parse(bytes), case .object = content else { throw .cannotBeOpened }
        guard content["payment_id"]?.string.flatMap({ PaymentID($0) }) == paymentID else { throw .otherPayment }
        do throws(InvalidField) {
            return try card(content)
        } catch {
            throw .card(error)
        }
    }

    private static func card(_ object: JSONValue) throws(InvalidField) -> CardDetails {
        guard let card = object["card"] else { throw InvalidField("card", "is missing") }
        guard case .object = card else { throw InvalidField("card", "must be a JSON object") }
        guard let number = card["number"]?.string, CardDetails.isNumber(number) else {
            throw InvalidField("card.number", "must be a string of 12 to 19 digits")
        }
        guard let cvv = card["cvv"]?.string, CardDetails.isCVV(cvv) else {
            throw InvalidField("card.cvv", "must be a string of 3 or 4 digits")
        }
        let month = try integer(card, "expiry_month", in: CardDetails.months)
        let year = try integer(card, "expiry_year", in: CardDetails.years)
        guard let card = CardDetails(number: number, cvv: cvv, expiryMonth: month, expiryYear: year) else {
            throw InvalidField("card", "is not valid")
        }
        return card
    }

    private static func integer(
        _ card: JSONValue,
        _ name: String,
        in range: ClosedRange<Int>
    ) throws(InvalidField) -> Int {
        guard let value = card[name]?.integer, let integer = Int(exactly: value), range.contains(integer) else {
            throw InvalidField("card.\(name)", "must be an integer from \(range.lowerBound) to \(range.upperBound)")
        }
        return integer
    }
}

extension OperationKind {
    /// Without a body it is what it is with `{}`.
    fileprivate var needsNoBody: Bool { self == .capture || self == .void }
}

package import Core

/// A card, as the customer gave it. Printed in any way, it shows nothing of itself. Keep it no longer than it takes to make the command.
public struct PaymentCard: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let details: CardDetails

    /// - Parameters:
    ///   - number: 12 to 19 ASCII digits.
    ///   - cvv: 3 or 4 digits.
    ///   - expiryMonth: 1 to 12.
    ///   - expiryYear: 2000 to 2099.
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field. Whether the check digit is right and the card not expired,
    ///   the bank says.
    public init(
        number: String,
        cvv: String,
        expiryMonth: Int,
        expiryYear: Int
    ) throws(PaymentClientError) {
        guard CardDetails.isNumber(number) else { throw Self.invalid("number", "must be 12 to 19 digits") }
        guard CardDetails.isCVV(cvv) else { throw Self.invalid("cvv", "must be 3 or 4 digits") }
        guard CardDetails.months.contains(expiryMonth) else { throw Self.invalid("expiry_month", "must be 1 to 12") }
        let card = CardDetails(number: number, cvv: cvv, expiryMonth: expiryMonth, expiryYear: expiryYear)
        guard let card else { throw Self.invalid("expiry_year", "must be 2000 to 2099") }
        details = card
    }

    private static func invalid(_ field: String, _ problem: String) -> PaymentClientError {
        PaymentClientError(.invalidCommand, "card.\(field): \(problem)")
    }

    package var json: JSONValue {
        .object([
            "number": .string(details.number), "cvv": .string(details.cvv),
            "expiry_month": .integer(details.expiryMonth), "expiry_year": .integer(details.expiryYear),
        ])
    }

    public var description: String { details.description }
    public var debugDescription: String { description }
    public var customMirror: Mirror { details.customMirror }
}

import Core

/// An order as an operator or a client gave it: texts, checked by the same rules.
struct ResolutionInput: Hashable, Sendable {
    let operation: String
    /// `failed` or `succeeded`.
    let end: String
    let bankID: String?
    let reason: String
    let merchantID: String?
    var isConfirmed = false

    init(operation: String, end: String, bankID: String?, reason: String, merchantID: String?) {
        self.operation = operation
        self.end = end
        self.bankID = bankID
        self.reason = reason
        self.merchantID = merchantID
    }

    private static let names: Set<String> = ["as", "bank_id", "confirm", "merchant_id", "operation", "reason"]

    /// The body of `POST /payments/{id}/resolve`.
    init(_ body: [UInt8]) throws(InvalidField) {
        let value: JSONValue
        do throws(JSONError) {
            value = try JSONParser.parse(body)
        } catch {
            throw InvalidField("body", error.description)
        }
        guard case .object(let members) = value else { throw InvalidField("body", "must be a JSON object") }
        guard members.keys.allSatisfy(Self.names.contains) else {
            throw InvalidField("body", "knows only \(Self.names.sorted().joined(separator: ", "))")
        }
        self.init(
            operation: try Self.needed(members, "operation"),
            end: try Self.needed(members, "as"),
            bankID: try Self.text(members, "bank_id"),
            reason: try Self.needed(members, "reason"),
            merchantID: try Self.text(members, "merchant_id")
        )
        switch members["confirm"] {
        case nil, .null?: isConfirmed = false
        case .bool(let flag)?: isConfirmed = flag
        default: throw InvalidField("confirm", "must be true or false")
        }
    }

    func order(on payment: PaymentID, by actor: String) throws(InvalidField) -> ResolutionOrder {
        guard let end = ResolutionOrder.End(rawValue: end) else {
            throw InvalidField("as", "must be failed or succeeded")
        }
        var merchant: MerchantID?
        if let merchantID {
            merchant = MerchantID(merchantID)
            guard merchant != nil else {
                throw InvalidField("merchant_id", "must be 1 to 64 letters, digits, '.', '_' and '-'")
            }
        }
        return try ResolutionOrder(
            paymentID: payment,
            merchantID: merchant,
            operation: operation,
            end: end,
            bankID: bankID,
            reason: reason,
            actor: actor
        )
    }

    private static func needed(_ members: [String: JSONValue], _ name: String) throws(InvalidField) -> String {
        guard let text = try text(members, name) else { throw InvalidField(name, "is needed") }
        return text
    }

    /// Null counts as not given.
    private static func text(_ members: [String: JSONValue], _ name: String) throws(InvalidField) -> String? {
        guard let value = members[name], !value.isNull else { return nil }
        guard let text = value.string else { throw InvalidField(name, "must be a string") }
        return text
    }
}

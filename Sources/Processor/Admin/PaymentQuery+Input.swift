import Core

extension PaymentQuery {
    /// Where no limit is given.
    static let usualLimit = 50

    /// Of the fields in the admin API.
    static let names = ["order_id", "customer_id", "possible_orphans", "merchant_id", "limit", "cursor"]

    /// Texts as a client or an operator gave them, all by the same rules.
    ///
    /// - Throws: naming the first field that is wrong by the name it has in the admin API.
    init(
        orderID: String?,
        customerID: String?,
        possibleOrphans: String? = nil,
        merchantID: String?,
        limit: String?,
        cursor: String?
    ) throws(InvalidField) {
        var selections: [Selection] = []
        if let orderID { selections.append(.order(try Self.checked(orderID, "order_id"))) }
        if let customerID { selections.append(.customer(try Self.checked(customerID, "customer_id"))) }
        if let possibleOrphans {
            guard let isMeant = Bool(possibleOrphans) else {
                throw InvalidField("possible_orphans", "must be true or false")
            }
            if isMeant { selections.append(.possibleOrphans) }
        }
        guard let selection = selections.first, selections.count == 1 else {
            throw InvalidField("order_id, customer_id, possible_orphans", "exactly one of them is needed")
        }
        var merchant: MerchantID?
        if let merchantID {
            merchant = MerchantID(merchantID)
            guard merchant != nil else {
                throw InvalidField("merchant_id", "must be 1 to 64 letters, digits, '.', '_' and '-'")
            }
        }
        var after: PageCursor?
        if let cursor {
            after = PageCursor(cursor)
            guard after != nil else { throw InvalidField("cursor", "is not a next_cursor of an earlier page") }
        }
        guard let number = limit.map({ Int($0) }) ?? Self.usualLimit, Self.limits.contains(number) else {
            let range = "\(Self.limits.lowerBound) to \(Self.limits.upperBound)"
            throw InvalidField("limit", "must be an integer from \(range)")
        }
        self.init(selection: selection, merchantID: merchant, limit: number, after: after)
    }

    static func checked(_ id: String, _ field: String) throws(InvalidField) -> String {
        // A NUL cannot be sent to PostgreSQL, and no stored id holds a control character.
        guard (1...128).contains(id.unicodeScalars.count),
            !id.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw InvalidField(field, "must be 1 to 128 characters without control characters") }
        return id
    }
}

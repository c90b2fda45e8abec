import Core

/// What a list of payments is asked for, as a client or an operator gave it: texts, by the names of the admin API.
struct PaymentQueryInput: Hashable, Sendable {
    var orderID: String?
    var customerID: String?
    var possibleOrphans: String?
    var status: String?
    var idempotencyKey: String?
    var bankID: String?
    var messageID: String?
    var since: String?
    var until: String?
    var merchantID: String?
    var limit: String?
    var cursor: String?

    /// Where no limit is given.
    static let usualLimit = 50

    /// Of what says which payments; one of them is needed.
    private static let filters = [
        "order_id", "customer_id", "possible_orphans", "status", "idempotency_key", "bank_id", "message_id", "since",
        "until",
    ]
    /// Of the fields in the admin API.
    static let names = filters + ["merchant_id", "limit", "cursor"]

    /// - Parameter needsFilter: whether a list of all payments is refused.
    /// - Throws: naming the first field that is wrong by the name it has in the admin API.
    func query(needsFilter: Bool = true) throws(InvalidField) -> PaymentQuery {
        let filter = try filter()
        guard !needsFilter || filter != PaymentFilter() else {
            throw InvalidField(Self.filters.joined(separator: ", "), "at least one of them is needed")
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
        let limits = PaymentQuery.limits
        guard let number = limit.map({ Int($0) }) ?? Self.usualLimit, limits.contains(number) else {
            throw InvalidField("limit", "must be an integer from \(limits.lowerBound) to \(limits.upperBound)")
        }
        return PaymentQuery(filter: filter, merchantID: merchant, limit: number, after: after)
    }

    private func filter() throws(InvalidField) -> PaymentFilter {
        var filter = PaymentFilter()
        if let orderID { filter.orderID = try Self.checked(orderID, "order_id") }
        if let customerID { filter.customerID = try Self.checked(customerID, "customer_id") }
        if let possibleOrphans {
            guard let isMeant = Bool(possibleOrphans) else {
                throw InvalidField("possible_orphans", "must be true or false")
            }
            filter.isPossibleOrphans = isMeant
        }
        if let status {
            filter.status = PaymentStatus(rawValue: status.uppercased())
            guard filter.status != nil else {
                let known = PaymentStatus.allCases.map(\.rawValue).joined(separator: ", ")
                throw InvalidField("status", "must be one of \(known)")
            }
        }
        if let idempotencyKey {
            filter.idempotencyKey = IdempotencyKey(idempotencyKey)
            guard filter.idempotencyKey != nil else {
                throw InvalidField("idempotency_key", "must be 1 to 255 characters without control characters")
            }
        }
        if let bankID { filter.bankID = try Self.checked(bankID, "bank_id") }
        if let messageID { filter.messageID = try Self.checked(messageID, "message_id") }
        filter.since = try Self.instant(since, "since")
        filter.until = try Self.instant(until, "until")
        return filter
    }

    private static func instant(_ text: String?, _ field: String) throws(InvalidField) -> Timestamp? {
        guard let text else { return nil }
        guard let instant = Timestamp(text) else {
            throw InvalidField(field, "must be an instant as in RFC 3339, such as 2026-01-31T23:59:59Z")
        }
        return instant
    }

    static func checked(_ id: String, _ field: String) throws(InvalidField) -> String {
        // A NUL cannot be sent to PostgreSQL, and no stored id holds a control character.
        guard (1...128).contains(id.unicodeScalars.count),
            !id.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
        else { throw InvalidField(field, "must be 1 to 128 characters without control characters") }
        return id
    }
}

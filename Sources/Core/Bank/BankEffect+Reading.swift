extension BankEffect {
    /// Why a success is not taken at its word.
    enum Doubt: Error, Equatable {
        /// The body lacks what a success has: not an answer that this API gives.
        case unreadable
        /// It speaks of another amount or another id than we asked for (trap B6).
        case mismatch(field: String)
    }

    /// Reads a 2xx body and checks that what it echoes is what we asked for (trap B6).
    static func read(_ body: JSONValue, answering action: BankAction) throws(Doubt) -> BankEffect {
        switch action {
        case .authorize(_, let amount):
            try check(body, "status", is: "approved")
            try check(body, amount: amount)
            return .authorized(
                authorizationID: try id(body, "authorization_id"),
                at: time(body, "created_at"),
                expiresAt: time(body, "expires_at")
            )
        case .capture(let authorizationID, let amount):
            try check(body, "status", is: "captured")
            try check(body, "authorization_id", is: authorizationID)
            try check(body, amount: amount)
            return .captured(captureID: try id(body, "capture_id"), at: time(body, "captured_at"))
        case .void(let authorizationID):
            try check(body, "status", is: "voided")
            try check(body, "authorization_id", is: authorizationID)
            return .voided(voidID: try id(body, "void_id"), at: time(body, "voided_at"))
        case .refund(let captureID, let amount):
            try check(body, "status", is: "refunded")
            try check(body, "capture_id", is: captureID)
            try check(body, amount: amount)
            return .refunded(refundID: try id(body, "refund_id"), at: time(body, "refunded_at"))
        }
    }

    private static func check(_ body: JSONValue, _ field: String, is expected: String) throws(Doubt) {
        guard let value = body[field]?.string else { throw .unreadable }
        guard value == expected else { throw .mismatch(field: field) }
    }

    private static func check(_ body: JSONValue, amount: Int64) throws(Doubt) {
        guard let value = body["amount"]?.integer else { throw .unreadable }
        guard value == amount else { throw .mismatch(field: "amount") }
        if let currency = body["currency"], currency.string != Currency.usd.rawValue {
            throw .mismatch(field: "currency")
        }
    }

    private static func id(_ body: JSONValue, _ field: String) throws(Doubt) -> String {
        guard let id = body[field]?.string, TextRule.holds(id, length: 1...128) else { throw .unreadable }
        return id
    }

    private static func time(_ body: JSONValue, _ field: String) -> Timestamp? {
        body[field]?.string.flatMap { Timestamp($0) }
    }
}

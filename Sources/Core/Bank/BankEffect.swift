/// What the bank did, read from a success. Times are the bank's; `nil` where it gave none.
package enum BankEffect: Hashable, Sendable {
    case authorized(authorizationID: String, at: Timestamp?, expiresAt: Timestamp?)
    case captured(captureID: String, at: Timestamp?)
    case voided(voidID: String, at: Timestamp?)
    case refunded(refundID: String, at: Timestamp?)

    /// The payment with the effect on record.
    ///
    /// - Parameters:
    ///   - payment: before the effect.
    ///   - now: stands in for a time that the bank did not give.
    package func apply(to payment: Payment, now: Timestamp) -> Payment {
        var payment = payment
        switch self {
        case .authorized(let id, let at, let expiresAt):
            payment = payment.moved(to: .authorized, activeOperation: nil)
            payment.bank.authorizationID = id
            payment.authorizedAt = at ?? now
            payment.expiresAt = expiresAt
        case .captured(let id, let at):
            payment = payment.moved(to: .captured, activeOperation: nil)
            payment.bank.captureID = id
            payment.capturedAt = at ?? now
        case .voided(let id, let at):
            payment = payment.moved(to: .voided, activeOperation: nil)
            payment.bank.voidID = id
            payment.voidedAt = at ?? now
        case .refunded(let id, let at):
            payment = payment.moved(to: .refunded, activeOperation: nil)
            payment.bank.refundID = id
            payment.refundedAt = at ?? now
        }
        return payment
    }

    /// The id that the bank gave its effect.
    package var bankID: String {
        switch self {
        case .authorized(let id, _, _), .captured(let id, _), .voided(let id, _), .refunded(let id, _): id
        }
    }
}

extension BankEffect {
    /// Why a success is not taken at its word.
    enum Doubt: Error, Equatable {
        /// The body lacks what a success has: not an answer that this API gives.
        case unreadable
        /// Its status is another word than that of a success, such as `pending`.
        case otherStatus
        /// It speaks of another amount or another id than we asked for (docs/correctness.md#replays-ignore-the-body).
        case mismatch(field: String)
    }

    /// Reads a 2xx body and checks that what it echoes is what we asked for
    /// (docs/correctness.md#replays-ignore-the-body).
    static func read(_ body: JSONValue, answering action: BankAction) throws(Doubt) -> BankEffect {
        let expected = action.expectation
        if let id = expected.authorizationID { try check(body, "authorization_id", is: id) }
        if let id = expected.captureID { try check(body, "capture_id", is: id) }
        if let amount = expected.amount { try check(body, amount: amount) }
        let effect = try effect(of: action.kind, body)
        guard let status = body["status"]?.string else { throw .unreadable }
        guard status == action.kind.bankStatus else { throw .otherStatus }
        return effect
    }

    private static func effect(of kind: OperationKind, _ body: JSONValue) throws(Doubt) -> BankEffect {
        switch kind {
        case .authorize:
            .authorized(
                authorizationID: try id(body, "authorization_id"),
                at: time(body, "created_at"),
                expiresAt: time(body, "expires_at")
            )
        case .capture: .captured(captureID: try id(body, "capture_id"), at: time(body, "captured_at"))
        case .void: .voided(voidID: try id(body, "void_id"), at: time(body, "voided_at"))
        case .refund: .refunded(refundID: try id(body, "refund_id"), at: time(body, "refunded_at"))
        }
    }

    private static func check(_ body: JSONValue, _ field: String, is expected: String) throws(Doubt) {
        guard let value = body[field]?.string else { throw .unreadable }
        guard value == expected else { throw .mismatch(field: field) }
    }

    private static func check(_ body: JSONValue, amount: Int64) throws(Doubt) {
        guard let value = body["amount"]?.wholeNumber else { throw .unreadable }
        guard value == amount else { throw .mismatch(field: "amount") }
        if let currency = body["currency"], !currency.isNull,
            currency.string?.uppercased() != Currency.usd.rawValue
        {
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

extension OperationKind {
    /// The status word of a success (docs/bank.md#api).
    fileprivate var bankStatus: String {
        switch self {
        case .authorize: "approved"
        case .capture: "captured"
        case .void: "voided"
        case .refund: "refunded"
        }
    }
}

extension JSONValue {
    /// A whole number, also where it is written with a fraction of zeros: `5000.0`.
    fileprivate var wholeNumber: Int64? {
        guard case .number(let token) = self else { return nil }
        guard let point = token.firstIndex(of: ".") else { return Int64(token) }
        return token[token.index(after: point)...].allSatisfy { $0 == "0" } ? Int64(token[..<point]) : nil
    }
}

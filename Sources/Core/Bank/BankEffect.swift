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

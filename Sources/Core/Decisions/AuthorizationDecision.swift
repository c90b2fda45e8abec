/// What the expiring sweep does with a payment whose authorization is past its expiry. Shared by every store.
package enum AuthorizationDecision: Hashable, Sendable {
    /// Ask the bank.
    case ask
    case void
    case wait
    case forget

    /// - Parameters:
    ///   - payment: under lock.
    ///   - voidsExpired: `sweeps.expire.void`.
    package init(_ payment: Payment, voidsExpired: Bool) {
        switch payment.status {
        case .authorized: self = .ask
        case .expired: self = voidsExpired ? .void : .forget
        case .pending, .capturing, .voiding: self = .wait
        case .captured, .refunding, .refunded, .voided, .failed: self = .forget
        }
    }
}

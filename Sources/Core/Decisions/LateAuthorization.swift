/// What an authorization is that the bank gave to an attempt which no longer holds its operation.
package enum LateAuthorization: Hashable, Sendable {
    /// The payment's own: the bank has replayed it.
    case same
    /// A second hold: the payment has another authorization, or has failed.
    case stray
    /// Not known yet: the attempt that holds the operation now has not ended.
    case undecided

    /// - Parameters:
    ///   - id: the bank's, of the authorization.
    ///   - payment: as it is stored.
    package init(_ id: String, of payment: Payment) {
        if let own = payment.bank.authorizationID {
            self = own == id ? .same : .stray
        } else {
            self = payment.status == .failed ? .stray : .undecided
        }
    }

    package static let strayNote = "; possible orphan hold: the payment has another authorization"

    /// For the history, when an authorization turns out to be a second hold after its answer was refused.
    package static func strayCause(_ id: String) -> String { "late answer compared: \(id)\(strayNote)" }
}

/// What a client can ask of the bank. Faults are aimed at one of these.
enum BankOperation: String, CaseIterable, Sendable {
    case authorize
    case capture
    case void
    case refund
    /// Reading any of the records.
    case get

    /// What an effect of it is named; reading has none, and is named like what it reads most.
    var effectKind: EffectID.Kind {
        switch self {
        case .authorize, .get: .authorization
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        }
    }
}

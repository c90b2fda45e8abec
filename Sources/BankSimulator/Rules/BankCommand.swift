/// A POST, as far as its body could be read. An identifier nobody could have been given is nil: for the bank that is
/// the same as an unknown one.
enum BankCommand: Equatable, Sendable {
    case authorize(AuthorizeRequest)
    case capture(authorizationID: EffectID?, amount: Int64)
    case void(authorizationID: EffectID?)
    case refund(captureID: EffectID?, amount: Int64)
}

/// A GET of one record; nil for an identifier nobody could have been given. There is none for voids.
enum BankQuery: Equatable, Sendable {
    case authorization(EffectID?)
    case capture(EffectID?)
    case refund(EffectID?)
}

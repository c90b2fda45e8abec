/// Why a sealed card is of no use, in the words of the contract (docs/contract.md#sealed-cards). It says nothing of what was inside.
package enum SealedCardProblem: Error, Hashable, Sendable {
    /// Its `kid` is none of ours, or missing.
    case unknownKey
    /// Not sealed for that key, changed on its way, or not of the form of a sealed card.
    case cannotBeOpened
    /// It was sealed for another payment than the command's.
    case otherPayment
    /// An algorithm, extension, compression or size that is not allowed.
    case unsupported
    /// It opened; the card inside is not valid.
    case card(InvalidField)

    static let field = "sealed_card"

    package var invalidField: InvalidField {
        switch self {
        case .unknownKey: InvalidField(Self.field, "unknown_key")
        case .cannotBeOpened: InvalidField(Self.field, "cannot_be_opened")
        case .otherPayment: InvalidField(Self.field, "other_payment")
        case .unsupported: InvalidField(Self.field, "unsupported")
        case .card(let problem): InvalidField(Self.field, "\(problem.field) \(problem.problem)")
        }
    }
}

/// The codes the bank really sends. Its specification has two more, `already_captured` and `already_voided`, which
/// nobody ever saw.
enum BankErrorCode: String, CaseIterable, Sendable {
    case alreadyRefunded = "already_refunded"
    case amountMismatch = "amount_mismatch"
    case authorizationAlreadyUsed = "authorization_already_used"
    case authorizationExpired = "authorization_expired"
    case authorizationNotFound = "authorization_not_found"
    case captureNotFound = "capture_not_found"
    case cardExpired = "card_expired"
    case insufficientFunds = "insufficient_funds"
    case internalError = "internal_error"
    case invalidAmount = "invalid_amount"
    case invalidCVV = "invalid_cvv"
    case invalidCard = "invalid_card"
    case notFound = "not_found"

    /// The HTTP status it comes with.
    var status: Int {
        switch self {
        case .insufficientFunds: 402
        case .notFound: 404
        case .internalError: 500
        default: 400
        }
    }

    /// A sentence for people.
    var message: String {
        switch self {
        case .alreadyRefunded: "capture has already been refunded"
        case .amountMismatch: "amount does not match the original amount"
        case .authorizationAlreadyUsed: "authorization has already been used"
        case .authorizationExpired: "authorization has expired"
        case .authorizationNotFound: "authorization not found"
        case .captureNotFound: "capture not found"
        case .cardExpired: "card has expired"
        case .insufficientFunds: "insufficient funds"
        case .internalError: "internal server error"
        case .invalidAmount: "amount must be positive"
        case .invalidCVV: "invalid cvv"
        case .invalidCard: "invalid card number"
        case .notFound: "not found"
        }
    }
}

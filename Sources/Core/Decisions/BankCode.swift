/// The error codes of the bank (docs/bank.md#api).
enum BankCode: String, CaseIterable {
    case invalidCard = "invalid_card"
    case invalidCVV = "invalid_cvv"
    case invalidAmount = "invalid_amount"
    case cardExpired = "card_expired"
    case insufficientFunds = "insufficient_funds"
    case authorizationNotFound = "authorization_not_found"
    case authorizationAlreadyUsed = "authorization_already_used"
    case authorizationExpired = "authorization_expired"
    case amountMismatch = "amount_mismatch"
    case alreadyCaptured = "already_captured"
    case alreadyVoided = "already_voided"
    case captureNotFound = "capture_not_found"
    case alreadyRefunded = "already_refunded"
    case notFound = "not_found"
    case internalError = "internal_error"

    /// What it says, as the decline of an authorize, about a hold that an earlier unanswered request may have left: `nil` where the
    /// card can never have been held. An invalid card is what the bank now and then says of a valid one
    /// (docs/correctness.md#codes-that-lie).
    var orphanAfterUnanswered: PossibleOrphan? {
        switch self {
        case .insufficientFunds: .suspected
        case .invalidCard: .unlikely
        default: nil
        }
    }

    enum Meaning {
        /// Proof that the operation was not executed.
        case refused
        /// The same, because the authorization has expired.
        case expired
        /// No proof of anything: internal errors, codes of another operation, and "not found" for an id that the bank itself
        /// issued (docs/correctness.md#codes-that-lie).
        case unproven
    }

    func meaning(for operation: OperationKind) -> Meaning {
        switch (operation, self) {
        case (.authorize, .invalidCard), (.authorize, .invalidCVV), (.authorize, .invalidAmount),
            (.authorize, .cardExpired), (.authorize, .insufficientFunds),
            (.capture, .authorizationAlreadyUsed), (.capture, .alreadyCaptured), (.capture, .amountMismatch),
            (.void, .authorizationAlreadyUsed), (.void, .alreadyCaptured), (.void, .alreadyVoided),
            (.refund, .alreadyRefunded), (.refund, .amountMismatch):
            .refused
        case (.capture, .authorizationExpired):
            .expired
        default:
            .unproven
        }
    }
}

/// The bank's decisions: each gives the reason to refuse, nil to go ahead.
///
/// The order within a rule is part of it: what the bank checks first is what it answers. Where docs/bank.md#api leaves
/// the order open, it is that of its table, and a used authorization is reported before an expired one.
enum BankRules {
    /// Card, then CVV, then amount, then the account's own expiry, then the available balance.
    static func authorize(_ request: AuthorizeRequest, account: CardAccount?, at time: Timestamp) -> BankErrorCode? {
        guard let account else { return .invalidCard }
        if request.cvv != account.cvv { return .invalidCVV }
        if request.amount <= 0 { return .invalidAmount }
        if time >= account.expiresAt { return .cardExpired }
        if request.amount > account.available { return .insufficientFunds }
        return nil
    }

    /// Known, then unused, then not expired, and the amount last.
    static func capture(amount: Int64, of authorization: AuthorizationRecord?, at time: Timestamp) -> BankErrorCode? {
        guard let authorization else { return .authorizationNotFound }
        if authorization.isUsed { return .authorizationAlreadyUsed }
        if time >= authorization.expiresAt { return .authorizationExpired }
        if amount != authorization.amount { return .amountMismatch }
        return nil
    }

    /// Known, then unused. An expired authorization can be voided: that is what frees its hold.
    static func void(of authorization: AuthorizationRecord?) -> BankErrorCode? {
        guard let authorization else { return .authorizationNotFound }
        return authorization.isUsed ? .authorizationAlreadyUsed : nil
    }

    /// Known, then not refunded, and the amount last.
    static func refund(amount: Int64, of capture: CaptureRecord?) -> BankErrorCode? {
        guard let capture else { return .captureNotFound }
        if capture.isRefunded { return .alreadyRefunded }
        if amount != capture.amount { return .amountMismatch }
        return nil
    }
}

/// What the bank has to say to a command or a query.
enum BankAnswer: Equatable, Sendable {
    case authorized(AuthorizationRecord)
    case captured(CaptureRecord)
    case voided(VoidRecord)
    case refunded(RefundRecord)
    case refused(BankErrorCode)

    /// The only answers that are stored under a key.
    var isSuccess: Bool {
        if case .refused = self { false } else { true }
    }
}

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

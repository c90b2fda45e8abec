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

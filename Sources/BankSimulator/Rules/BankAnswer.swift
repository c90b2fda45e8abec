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

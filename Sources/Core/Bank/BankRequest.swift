/// One request to the bank (bank.md). The key is the operation's own, the same for every attempt.
package struct BankRequest: Hashable, Sendable {
    package let action: BankAction
    package let idempotencyKey: String
    package let traceparent: String?
    /// For the whole exchange. No request is ever under way for longer than this and the bank's worst case together.
    package let timeout: Duration

    package init(action: BankAction, idempotencyKey: String, traceparent: String?, timeout: Duration) {
        self.action = action
        self.idempotencyKey = idempotencyKey
        self.traceparent = traceparent
        self.timeout = timeout
    }
}

/// What the bank is asked to do, with all that it needs. Amounts are minor units of USD.
package enum BankAction: Hashable, Sendable {
    case authorize(card: CardDetails, amount: Int64)
    case capture(authorizationID: String, amount: Int64)
    case void(authorizationID: String)
    case refund(captureID: String, amount: Int64)

    package var kind: OperationKind {
        switch self {
        case .authorize: .authorize
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        }
    }

    /// `nil` where the payment lacks the bank id that the operation needs, which the state machine rules out.
    package init?(_ parameters: CommandParameters, for payment: Payment) {
        let amount = payment.amount.minorUnits
        switch parameters {
        case .authorize(let parameters):
            self = .authorize(card: parameters.card, amount: amount)
        case .capture:
            guard let id = payment.bank.authorizationID else { return nil }
            self = .capture(authorizationID: id, amount: amount)
        case .void:
            guard let id = payment.bank.authorizationID else { return nil }
            self = .void(authorizationID: id)
        case .refund:
            guard let id = payment.bank.captureID else { return nil }
            self = .refund(captureID: id, amount: amount)
        }
    }
}

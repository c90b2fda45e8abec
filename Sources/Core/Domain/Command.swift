/// A decoded and valid command. One object on its way from the decoder to the acknowledgement.
package final class Command: Hashable, Sendable {
    package let paymentID: PaymentID
    package let merchantID: MerchantID
    package let idempotencyKey: IdempotencyKey
    package let messageID: String
    package let parameters: CommandParameters
    /// Not sent to the bank after this instant.
    package let deadline: Timestamp?
    package let route: ReplyRoute

    package init(
        paymentID: PaymentID,
        merchantID: MerchantID = .default,
        idempotencyKey: IdempotencyKey,
        messageID: String,
        parameters: CommandParameters,
        deadline: Timestamp? = nil,
        route: ReplyRoute = ReplyRoute()
    ) {
        self.paymentID = paymentID
        self.merchantID = merchantID
        self.idempotencyKey = idempotencyKey
        self.messageID = messageID
        self.parameters = parameters
        self.deadline = deadline
        self.route = route
    }

    package static func == (left: Command, right: Command) -> Bool {
        left === right
            || left.paymentID == right.paymentID && left.merchantID == right.merchantID
                && left.idempotencyKey == right.idempotencyKey && left.messageID == right.messageID
                && left.parameters == right.parameters && left.deadline == right.deadline && left.route == right.route
    }

    package func hash(into hasher: inout Hasher) {
        hasher.combine(paymentID)
        hasher.combine(idempotencyKey)
    }

    /// What the bank knows its operation by.
    package var bankKey: String {
        BankKey.derived(
            merchantID: merchantID,
            idempotencyKey: idempotencyKey,
            kind: kind,
            paymentID: paymentID
        )
    }

    package var kind: OperationKind {
        switch parameters {
        case .authorize: .authorize
        case .capture: .capture
        case .void: .void
        case .refund: .refund
        }
    }
}

/// What each operation needs. An amount of a capture or refund may be left out: the bank takes full amounts only.
package enum CommandParameters: Hashable, Sendable {
    case authorize(AuthorizeParameters)
    case capture(amount: Int64?)
    case void
    case refund(amount: Int64?)

    /// Minor units, where the command names them.
    package var statedAmount: Int64? {
        switch self {
        case .authorize(let parameters): parameters.amount.minorUnits
        case .capture(let amount), .refund(let amount): amount
        case .void: nil
        }
    }
}

package struct AuthorizeParameters: Hashable, Sendable {
    /// 1–128 Unicode scalars.
    package let orderID: String
    /// 1–128 Unicode scalars.
    package let customerID: String
    package let amount: Money
    package let card: CardDetails

    package init(orderID: String, customerID: String, amount: Money, card: CardDetails) {
        self.orderID = orderID
        self.customerID = customerID
        self.amount = amount
        self.card = card
    }

    /// Byte by byte, as the fingerprint sees them: what Unicode calls equivalent is not the same.
    package static func == (left: AuthorizeParameters, right: AuthorizeParameters) -> Bool {
        left.orderID.utf8.elementsEqual(right.orderID.utf8) && left.customerID.utf8.elementsEqual(right.customerID.utf8)
            && left.amount == right.amount && left.card == right.card
    }
}

package import Core

/// What a command asks for.
public enum PaymentOperation: String, Hashable, Sendable, CaseIterable {
    /// Hold an amount on a card: the start of a payment.
    case authorize
    /// Take the money that is held.
    case capture
    /// Give the hold up.
    case void
    /// Give the money back.
    case refund

    init(_ kind: OperationKind) {
        switch kind {
        case .authorize: self = .authorize
        case .capture: self = .capture
        case .void: self = .void
        case .refund: self = .refund
        }
    }
}

/// A command that the processor will take as valid (docs/contract.md#commands), under an idempotency key.
///
/// **Keep it, or what it was made of, until its final reply.** Sent again, however often and on whichever connection, it takes effect once
/// and gets the same final reply. After a restart, make it again with the same `paymentID`, `idempotencyKey` and content.
public struct PaymentCommand: Sendable {
    package let content: OutgoingCommand
    package let id: UniqueID

    public var operation: PaymentOperation { PaymentOperation(content.kind) }
    /// A UUID.
    public var paymentID: String { content.paymentID }
    /// Unique for the merchant, over all operations.
    public var idempotencyKey: String { content.idempotencyKey }
    /// `nil`: `default`.
    public var merchantID: String? { content.merchantID }
    /// The same each time that this value is sent.
    public var messageID: String { id.description }

    /// As it is, valid or not.
    package init(unchecked content: OutgoingCommand, id: UniqueID = Identifier.unique()) {
        self.content = content
        self.id = id
    }

    private init(
        _ kind: OperationKind,
        _ paymentID: String?,
        _ options: Options,
        _ members: [String: JSONValue]
    ) throws(PaymentClientError) {
        let content = OutgoingCommand(
            kind: kind,
            paymentID: paymentID,
            idempotencyKey: options.idempotencyKey,
            merchantID: options.merchantID,
            deadline: options.deadline.map { SystemTime.now().advanced(by: $0) },
            body: .object(members)
        )
        if let problem = content.problem { throw PaymentClientError(.invalidCommand, problem.description) }
        self.init(unchecked: content)
    }

    /// What every command may have.
    public struct Options: Hashable, Sendable {
        /// 1 to 255 characters; `nil`: a new one.
        public var idempotencyKey: String?
        /// 1 to 64 characters of `A-Z a-z 0-9 . _ -`; `nil`: `default`.
        public var merchantID: String?
        /// From now: a command that the bank has not been asked for by then is rejected without asking it. `nil`: none.
        public var deadline: Duration?

        public init(idempotencyKey: String? = nil, merchantID: String? = nil, deadline: Duration? = nil) {
            self.idempotencyKey = idempotencyKey
            self.merchantID = merchantID
            self.deadline = deadline
        }
    }

    /// Hold an amount on a card.
    ///
    /// - Parameters:
    ///   - amount: in minor units, at least 1: 5000 is $50.00.
    ///   - currency: the bank takes `USD`.
    ///   - orderID: yours, 1 to 128 characters.
    ///   - customerID: yours, 1 to 128 characters.
    ///   - card: what is charged. It leaves this call sealed.
    ///   - key: the processor's; `nil` sends the card as it is, which a processor only takes on loopback.
    ///   - paymentID: a new UUID; `nil`: derived from the idempotency key where that is given, so always the same for the same key, or else
    ///     a new one. After a decline, a new attempt needs a new payment id and a new key.
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field; `configuration` for a key that cannot be sealed for.
    public static func authorize(
        amount: Int64,
        currency: String = "USD",
        orderID: String,
        customerID: String,
        card: PaymentCard,
        sealedFor key: CardSealingKey?,
        paymentID: String? = nil,
        options: Options = Options()
    ) throws(PaymentClientError) -> PaymentCommand {
        let command = try PaymentCommand(
            .authorize,
            paymentID,
            options,
            [
                "amount": .integer(amount), "currency": .string(currency), "order_id": .string(orderID),
                "customer_id": .string(customerID), "card": card.json,
            ]
        )
        guard let key else { return command }
        return PaymentCommand(unchecked: try command.content.sealed(for: key.key))
    }

    /// Take the money of an authorized payment.
    ///
    /// - Parameter amount: the payment's whole amount in minor units, to be sure; `nil`: whatever it is.
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field.
    public static func capture(
        paymentID: String,
        amount: Int64? = nil,
        options: Options = Options()
    ) throws(PaymentClientError) -> PaymentCommand {
        try PaymentCommand(.capture, paymentID, options, wholeAmount(amount))
    }

    /// Give up an authorized payment.
    ///
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field.
    public static func void(
        paymentID: String,
        options: Options = Options()
    ) throws(PaymentClientError) -> PaymentCommand {
        try PaymentCommand(.void, paymentID, options, [:])
    }

    /// Give the money of a captured payment back.
    ///
    /// - Parameter amount: the payment's whole amount in minor units, to be sure; `nil`: whatever it is.
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field.
    public static func refund(
        paymentID: String,
        amount: Int64? = nil,
        options: Options = Options()
    ) throws(PaymentClientError) -> PaymentCommand {
        try PaymentCommand(.refund, paymentID, options, wholeAmount(amount))
    }

    private static func wholeAmount(_ amount: Int64?) -> [String: JSONValue] {
        amount.map { ["amount": .integer($0)] } ?? [:]
    }

    /// The message; without a reply address its reply goes to the common reply queue. The reply names the message id.
    package func message(replyTo: String?) -> Message {
        content.message(id: id, correlationID: messageID, replyTo: replyTo)
    }
}

// Its body may hold a card that is not sealed.
extension PaymentCommand: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    public var description: String { "\(content.kind) of payment \(paymentID), key \(idempotencyKey)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["command": description]) }
}

/// A card, as the customer gave it. Printed in any way, it shows nothing of itself. Keep it no longer than it takes to make the command.
public struct PaymentCard: Sendable, CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    private let details: CardDetails

    /// - Parameters:
    ///   - number: 12 to 19 ASCII digits.
    ///   - cvv: 3 or 4 digits.
    ///   - expiryMonth: 1 to 12.
    ///   - expiryYear: 2000 to 2099.
    /// - Throws: `PaymentClientError.Code.invalidCommand`, naming the field. Whether the check digit is right and the card not expired,
    ///   the bank says.
    public init(
        number: String,
        cvv: String,
        expiryMonth: Int,
        expiryYear: Int
    ) throws(PaymentClientError) {
        guard CardDetails.isNumber(number) else { throw Self.invalid("number", "must be 12 to 19 digits") }
        guard CardDetails.isCVV(cvv) else { throw Self.invalid("cvv", "must be 3 or 4 digits") }
        guard CardDetails.months.contains(expiryMonth) else { throw Self.invalid("expiry_month", "must be 1 to 12") }
        let card = CardDetails(number: number, cvv: cvv, expiryMonth: expiryMonth, expiryYear: expiryYear)
        guard let card else { throw Self.invalid("expiry_year", "must be 2000 to 2099") }
        details = card
    }

    private static func invalid(_ field: String, _ problem: String) -> PaymentClientError {
        PaymentClientError(.invalidCommand, "card.\(field): \(problem)")
    }

    package var json: JSONValue {
        .object([
            "number": .string(details.number), "cvv": .string(details.cvv),
            "expiry_month": .integer(details.expiryMonth), "expiry_year": .integer(details.expiryYear),
        ])
    }

    public var description: String { details.description }
    public var debugDescription: String { description }
    public var customMirror: Mirror { details.customMirror }
}

/// What a command is found by, as far as it is known: in every log line that is about one.
package struct CommandIdentity: Hashable, Sendable {
    package var paymentID: PaymentID?
    package var merchantID: MerchantID?
    package var kind: OperationKind?
    package var idempotencyKey: IdempotencyKey?
    /// Of the delivery. `nil` where none is at hand: in the work of a sweep or of an operator.
    package var messageID: String?
    /// Of what is known from the database.
    package var operationID: OperationID?
    package var traceparent: String?

    package init(paymentID: PaymentID? = nil, idempotencyKey: IdempotencyKey? = nil, messageID: String? = nil) {
        self.paymentID = paymentID
        self.idempotencyKey = idempotencyKey
        self.messageID = messageID
    }

    package init(_ command: Command) {
        self.init(
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey,
            messageID: command.messageID
        )
        merchantID = command.merchantID
        kind = command.kind
        traceparent = command.route.traceparent
    }

    package init(_ command: InvalidCommand) {
        self.init(
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey,
            messageID: command.messageID
        )
        merchantID = command.merchantID
        kind = command.kind
        traceparent = command.route.traceparent
    }

    /// - Parameter messageID: of the delivery that is being worked on.
    package init(_ operation: Operation, messageID: String? = nil) {
        self.init(
            paymentID: operation.paymentID,
            idempotencyKey: operation.idempotencyKey,
            messageID: messageID
        )
        merchantID = operation.merchantID
        kind = operation.kind
        operationID = operation.id
        traceparent = operation.route.traceparent
    }

    package init(_ deadLetter: DeadLetter) {
        self.init(
            paymentID: deadLetter.command.paymentID,
            idempotencyKey: deadLetter.command.idempotencyKey,
            messageID: deadLetter.content.message.messageID
        )
        merchantID = deadLetter.command.merchantID
        kind = deadLetter.command.kind
    }

    /// Of any message, a command or its reply. What is not valid, or the card number of its own body, is left out.
    ///
    /// - Parameter cards: opens a sealed card, to look for its number.
    package init(_ message: Message, opening cards: CardIntake = CardIntake()) {
        let cards = KnownCards(in: message.body, opening: cards)
        let key = try? EnvelopeDecoder.idempotencyKey(message)
        let id = try? EnvelopeDecoder.messageID(message)
        self.init(
            paymentID: try? EnvelopeDecoder.paymentID(message),
            idempotencyKey: cards.stand(in: key?.description) ? nil : key,
            messageID: cards.stand(in: id) ? nil : id
        )
    }
}

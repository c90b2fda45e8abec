/// What a command is found by, as far as its message tells: in every log line that is about one.
package struct CommandIdentity: Hashable, Sendable {
    package let paymentID: PaymentID?
    package let idempotencyKey: IdempotencyKey?
    package let messageID: String?

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
    }

    package init(_ command: InvalidCommand) {
        self.init(
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey,
            messageID: command.messageID
        )
    }

    /// Of any message, a command or its reply. What is not valid, or the card number of its own body, is left out.
    package init(_ message: Message) {
        let cards = KnownCards(in: message.body)
        let key = try? EnvelopeDecoder.idempotencyKey(message)
        let id = try? EnvelopeDecoder.messageID(message)
        self.init(
            paymentID: try? EnvelopeDecoder.paymentID(message),
            idempotencyKey: cards.stand(in: key?.description) ? nil : key,
            messageID: cards.stand(in: id) ? nil : id
        )
    }
}

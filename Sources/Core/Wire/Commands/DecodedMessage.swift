/// What a message on a command queue turned out to be (docs/contract.md#answerable-or-not).
package enum DecodedMessage: Hashable, Sendable {
    case command(Command)
    /// Its sender can be notified: a `rejected` reply, and no dead letter.
    case answerable(InvalidCommand)
    /// Nobody can be notified: a dead letter.
    case unanswerable(InvalidField)
}

/// An invalid command of which enough is valid to answer it. What was invalid is left out, so it is absent from the reply too.
package struct InvalidCommand: Hashable, Sendable {
    package let kind: OperationKind
    package let idempotencyKey: IdempotencyKey
    package let paymentID: PaymentID?
    package let merchantID: MerchantID?
    package let messageID: String?
    package let route: ReplyRoute
    package let problem: InvalidField
}

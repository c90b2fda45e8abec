package import Core

/// A command on its way out, not necessarily a valid one.
package struct OutgoingCommand: Hashable, Sendable {
    package let kind: OperationKind
    package let paymentID: String
    package let idempotencyKey: String
    package let merchantID: String?
    package let deadline: Timestamp?
    package let body: [UInt8]
    /// Whether the key was made here, so that who sends the same again has to be told it first.
    package let hasMadeKey: Bool
    /// Whether the payment's id was made here, at random.
    package let hasMadePaymentID: Bool

    /// Without a payment id (an authorize may be) it gets a new one, always the same one where the key is given; without a
    /// key it gets a new one too.
    package init(
        kind: OperationKind,
        paymentID: String?,
        idempotencyKey: String?,
        merchantID: String?,
        deadline: Timestamp? = nil,
        body: JSONValue
    ) {
        self.kind = kind
        self.paymentID = paymentID ?? Identifier.paymentID(idempotencyKey: idempotencyKey, merchantID: merchantID)
        self.idempotencyKey = idempotencyKey ?? Identifier.idempotencyKey()
        self.merchantID = merchantID
        self.deadline = deadline
        self.body = body.encoded
        hasMadeKey = idempotencyKey == nil
        hasMadePaymentID = idempotencyKey == nil && paymentID == nil
    }

    /// The same with identifiers that were made for it before.
    package init(_ other: OutgoingCommand, idempotencyKey: String, paymentID: String) {
        kind = other.kind
        self.paymentID = other.hasMadePaymentID ? paymentID : other.paymentID
        self.idempotencyKey = other.hasMadeKey ? idempotencyKey : other.idempotencyKey
        merchantID = other.merchantID
        deadline = other.deadline
        body = other.body
        hasMadeKey = other.hasMadeKey
        hasMadePaymentID = other.hasMadePaymentID
    }

    /// The same with another body.
    package init(_ other: OutgoingCommand, body: JSONValue) {
        kind = other.kind
        paymentID = other.paymentID
        idempotencyKey = other.idempotencyKey
        merchantID = other.merchantID
        deadline = other.deadline
        self.body = body.encoded
        hasMadeKey = other.hasMadeKey
        hasMadePaymentID = other.hasMadePaymentID
    }

    /// The message; without a reply address its reply goes to the common reply queue.
    package func message(id messageID: UniqueID, correlationID: String, replyTo: String?) -> Message {
        var headers: [String: HeaderValue] = [
            HeaderName.paymentID: .string(paymentID),
            HeaderName.idempotencyKey: .string(idempotencyKey),
            HeaderName.traceparent: .string(Identifier.traceparent(of: messageID)),
        ]
        headers[HeaderName.merchantID] = merchantID.map(HeaderValue.string)
        headers[HeaderName.deadline] = deadline.map { .string($0.description) }
        return Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: messageID.description,
            correlationID: CorrelationID(correlationID),
            replyTo: replyTo,
            headers: headers,
            body: body
        )
    }
}

/// A reply on its way to one queue.
package struct OutgoingReply: Hashable, Sendable {
    /// A queue reached through the default exchange; `nil` is the default reply queue.
    package let replyTo: String?
    package let message: Message

    /// The final reply of an operation: the stored bytes, whoever asks and however often.
    package static func final(_ body: [UInt8], of operation: Operation, to command: Command, replayed: Bool) -> OutgoingReply {
        OutgoingReply(body, id: "\(operation.id)-final", to: command, replayed: replayed)
    }

    /// The `unknown` reply of an operation: a phase of its own, hence its own message id.
    package static func provisional(_ reply: Reply, of operation: Operation, to command: Command) -> OutgoingReply {
        OutgoingReply(reply.encoded, id: "\(operation.id)-unknown", to: command, replayed: false)
    }

    /// A rejection that is not stored: its id comes from the command's, so that a redelivery gives the same one.
    package static func unstored(_ reply: Reply, to command: Command) -> OutgoingReply {
        OutgoingReply(reply.encoded, id: "\(command.messageID)-\(reply.outcome.rawValue)", to: command, replayed: false)
    }

    private init(_ body: [UInt8], id: String, to command: Command, replayed: Bool) {
        self.init(
            body,
            id: id,
            kind: command.kind,
            key: command.idempotencyKey,
            paymentID: command.paymentID,
            merchantID: command.merchantID,
            route: command.route,
            replayed: replayed
        )
    }

    /// The answer to an invalid command: what was invalid is left out.
    package init(to command: InvalidCommand) {
        let reply = Reply(
            operation: command.kind,
            outcome: .rejected,
            error: ReplyError(.invalidCommand, message: command.problem.description),
            payment: nil,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
        self.init(
            reply.encoded,
            id: command.messageID.map { "\($0)-\(reply.outcome.rawValue)" },
            kind: command.kind,
            key: command.idempotencyKey,
            paymentID: command.paymentID,
            merchantID: command.merchantID,
            route: command.route,
            replayed: false
        )
    }

    private init(
        _ body: [UInt8],
        id: String?,
        kind: OperationKind,
        key: IdempotencyKey,
        paymentID: PaymentID?,
        merchantID: MerchantID?,
        route: ReplyRoute,
        replayed: Bool
    ) {
        var headers: [String: HeaderValue] = [
            HeaderName.idempotencyKey: .string(key.description),
            HeaderName.idempotentReplayed: .bool(replayed),
        ]
        headers[HeaderName.paymentID] = paymentID.map { .string($0.description) }
        headers[HeaderName.merchantID] = merchantID.map { .string($0.description) }
        headers[HeaderName.traceparent] = route.traceparent.map(HeaderValue.string)
        replyTo = route.replyTo
        message = Message(
            type: kind.resultType,
            contentType: "application/json",
            messageID: id,
            correlationID: route.correlationID,
            headers: headers,
            body: body
        )
    }
}

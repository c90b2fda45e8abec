import Crypto

/// A reply on its way to one queue.
package struct OutgoingReply: Hashable, Sendable {
    /// A queue reached through the default exchange; `nil` is the default reply queue.
    package let replyTo: String?
    package let message: Message
    /// What is told to everyone together with it.
    package let events: [PaymentEvent]

    /// The final reply of an operation: the stored bytes, whoever asks and however often.
    package static func final(_ body: [UInt8], of operation: Operation, to command: Command, replayed: Bool)
        -> OutgoingReply
    {
        OutgoingReply(
            body,
            id: "\(operation.id)-final",
            to: command,
            replayed: replayed,
            // Once they are reported, a duplicate does not tell them again.
            events: operation.isNotified ? [] : PaymentEvent.of(operation)
        )
    }

    /// The final reply of an operation to a duplicate of the command whose delivery is reporting its end.
    static func attached(_ body: [UInt8], of operation: Operation, to command: Command) -> OutgoingReply {
        OutgoingReply(body, id: "\(operation.id)-final", to: command, replayed: true)
    }

    /// The final reply of an operation where no command is at hand: what it was asked by is in the store.
    ///
    /// - Parameters:
    ///   - operation: complete, with its stored reply.
    ///   - route: where it goes.
    package static func final(of operation: Operation, by route: ReplyRoute) -> OutgoingReply {
        OutgoingReply(
            operation.reply ?? [],
            id: "\(operation.id)-final",
            kind: operation.kind,
            key: operation.idempotencyKey,
            paymentID: operation.paymentID,
            merchantID: operation.merchantID,
            route: route,
            replayed: true
        )
    }

    /// The `unknown` reply of an operation: a phase of its own, hence its own message id.
    package static func provisional(_ reply: Reply, of operation: Operation, to command: Command) -> OutgoingReply {
        // `false` is kept for the reply of the delivery that completes the operation (docs/contract.md#replies).
        let body = reply.encoded
        return OutgoingReply(
            body,
            id: "\(operation.id)-unknown",
            to: command,
            replayed: true,
            events: PaymentEvent.attention(operation, body)
        )
    }

    /// What an attempt without a delivery has to say to the first delivery's way back; `nil` where it has nothing to say.
    ///
    /// - Parameter payment: shown by a provisional reply.
    init?(sweptTo operation: Operation, _ payment: Payment) {
        let body: [UInt8]
        let id: String
        let events: [PaymentEvent]
        switch operation.state {
        case .succeeded, .declined, .rejected:
            body = operation.reply ?? []
            id = "\(operation.id)-final"
            events = PaymentEvent.of(operation)
        case .needsAttention:
            body =
                Reply(
                    operation: operation.kind,
                    outcome: .unknown,
                    error: ReplyError(.unknownOutcome),
                    payment: payment,
                    paymentID: operation.paymentID,
                    idempotencyKey: operation.idempotencyKey
                ).encoded
            id = "\(operation.id)-unknown"
            events = PaymentEvent.attention(operation, body)
        case .sent, .unknown:
            return nil
        }
        self.init(
            body,
            id: id,
            kind: operation.kind,
            key: operation.idempotencyKey,
            paymentID: operation.paymentID,
            merchantID: operation.merchantID,
            route: operation.route,
            // `false` is kept for the delivery that completes an operation (docs/contract.md#replies).
            replayed: true,
            events: events
        )
    }

    /// A rejection that is not stored: its id comes from the command's, so that a redelivery gives the same one.
    package static func unstored(_ reply: Reply, to command: Command) -> OutgoingReply {
        OutgoingReply(reply.encoded, id: id(answering: command.messageID, reply), to: command, replayed: false)
    }

    /// The command's id with the phase behind it; a digest of it where that would be longer than AMQP allows.
    private static func id(answering messageID: String, _ reply: Reply) -> String {
        let phase = reply.outcome.rawValue
        guard messageID.utf8.count + 1 + phase.utf8.count > longestID else { return "\(messageID)-\(phase)" }
        return "\(Hex.text(of: SHA256.hash(data: Array(messageID.utf8))))-\(phase)"
    }

    /// The same for a command without a valid id: what there is to say to whom names it, so that a redelivery gives the same one.
    private static func id(answering command: InvalidCommand, _ reply: Reply) -> String {
        if let messageID = command.messageID { return id(answering: messageID, reply) }
        var hash = SHA256()
        for part in [
            Array((command.merchantID?.description ?? "").utf8), command.route.correlationID?.bytes ?? [],
            reply.encoded,
        ] {
            hash.update(data: Array("\(part.count):".utf8))
            hash.update(data: part)
        }
        return "\(Hex.text(of: hash.finalize()))-\(reply.outcome.rawValue)"
    }

    /// In bytes: what a short string of AMQP 0-9-1 holds.
    private static let longestID = 255

    private init(
        _ body: [UInt8],
        id: String,
        to command: Command,
        replayed: Bool,
        events: [PaymentEvent] = []
    ) {
        self.init(
            body,
            id: id,
            kind: command.kind,
            key: command.idempotencyKey,
            paymentID: command.paymentID,
            merchantID: command.merchantID,
            route: command.route,
            replayed: replayed,
            events: events
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
            id: Self.id(answering: command, reply),
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
        id: String,
        kind: OperationKind,
        key: IdempotencyKey,
        paymentID: PaymentID?,
        merchantID: MerchantID?,
        route: ReplyRoute,
        replayed: Bool,
        events: [PaymentEvent] = []
    ) {
        var headers = [String: HeaderValue](minimumCapacity: 6)
        headers[HeaderName.idempotencyKey] = .string(key.description)
        headers[HeaderName.idempotentReplayed] = .bool(replayed)
        headers[HeaderName.paymentID] = paymentID.map { .string($0.description) }
        headers[HeaderName.merchantID] = merchantID.map { .string($0.description) }
        headers[HeaderName.traceparent] = route.traceparent.map { .string(TraceParent.continuing($0, as: id)) }
        if route.isReplyToIgnored { headers[HeaderName.replyToIgnored] = .bool(true) }
        self.events = events
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

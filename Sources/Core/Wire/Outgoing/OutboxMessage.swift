/// A message that is written in the commit of what it tells, and relayed from there: what a sweep decides has no delivery that
/// would be its outbox.
package struct OutboxMessage: Hashable, Sendable {
    package let paymentID: PaymentID
    /// Whose final reply it is: where it cannot be routed, that is recorded.
    package let operationID: OperationID?
    /// `.replies`, `.event` or `.deadLetters`.
    package let destination: Destination
    package let message: Message

    /// - Parameters:
    ///   - paymentID: messages of one payment keep their order.
    ///   - operationID: whose end it reports; `nil` for an expiry.
    ///   - destination: `.replies`, `.event` or `.deadLetters`.
    ///   - message: as it is published.
    package init(paymentID: PaymentID, operationID: OperationID?, destination: Destination, message: Message) {
        self.paymentID = paymentID
        self.operationID = operationID
        self.destination = destination
        self.message = message
    }

    /// Whether the two tell the same: a message id is stable, and made for one thing.
    package func isSame(as other: OutboxMessage) -> Bool {
        paymentID == other.paymentID && message.messageID == other.message.messageID
    }

    package init(_ event: PaymentEvent, of payment: PaymentID) {
        self.init(paymentID: payment, operationID: nil, destination: .event(event.name), message: event.message)
    }

    /// The final reply to one of the messages that were given up while their operation was in manual review.
    ///
    /// - Parameters:
    ///   - operation: complete.
    ///   - route: of that message.
    package init(final operation: Operation, by route: ReplyRoute) {
        let reply = OutgoingReply.final(of: operation, by: route)
        self.init(
            paymentID: operation.paymentID,
            // One of several: where it cannot be routed, that says nothing of the operation.
            operationID: nil,
            destination: .replies(reply.replyTo),
            message: reply.message
        )
    }

    /// What is reported of the end of an operation that no delivery tells: the reply to where its first delivery wanted
    /// it, the events, and the dead letter where it needs manual review.
    ///
    /// - Parameters:
    ///   - operation: completed, or in need of manual review; for any other nothing is reported. Where it is reported,
    ///     only its events are due.
    ///   - payment: shown by a provisional reply, and asked for by a dead letter.
    ///   - hasDeadLetter: whether there is a dead letter of it already.
    package static func notifying(
        _ operation: Operation,
        _ payment: Payment,
        hasDeadLetter: Bool = false
    ) -> [OutboxMessage] {
        guard let reply = OutgoingReply(sweptTo: operation, payment) else { return [] }
        if operation.isNotified { return reply.events.map { OutboxMessage($0, of: operation.paymentID) } }
        var messages: [OutboxMessage] = []
        if !operation.route.isNobody {
            messages.append(
                OutboxMessage(
                    paymentID: operation.paymentID,
                    operationID: operation.state.isFinal ? operation.id : nil,
                    destination: .replies(reply.replyTo),
                    message: reply.message
                )
            )
        }
        messages += reply.events.map { OutboxMessage($0, of: operation.paymentID) }
        if operation.state == .needsAttention, !hasDeadLetter {
            messages.append(
                OutboxMessage(
                    paymentID: operation.paymentID,
                    operationID: nil,
                    destination: .deadLetters,
                    message: Message(rebuilding: operation, of: payment)
                )
            )
        }
        return messages
    }
}

/// Names a row of the outbox; later rows have larger numbers.
package struct OutboxID: Hashable, Comparable, Sendable {
    package let value: Int64

    package init(_ value: Int64) {
        self.value = value
    }

    package static func < (left: OutboxID, right: OutboxID) -> Bool { left.value < right.value }
}

/// A message that waits in the outbox.
package struct OutboxEntry: Hashable, Sendable {
    package let id: OutboxID
    package let content: OutboxMessage
    /// How often it was tried before.
    package let attempts: Int

    package init(id: OutboxID, content: OutboxMessage, attempts: Int) {
        self.id = id
        self.content = content
        self.attempts = attempts
    }
}

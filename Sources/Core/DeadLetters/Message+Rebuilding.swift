extension Message {
    /// The dead letter of an operation that needs manual review, where no delivery of its command is at hand: the
    /// command is rebuilt from what is stored. The card of an authorize is not, so that its dead letter cannot be
    /// replayed.
    ///
    /// - Parameters:
    ///   - operation: in need of manual review.
    ///   - payment: the one that it is about.
    init(rebuilding operation: Operation, of payment: Payment) {
        var headers: [String: HeaderValue] = [
            HeaderName.paymentID: .string(operation.paymentID.description),
            HeaderName.idempotencyKey: .string(operation.idempotencyKey.description),
            HeaderName.merchantID: .string(operation.merchantID.description),
            HeaderName.errorCode: .string(DeadLetterFailure.needsAttention),
            HeaderName.errorMessage: .string(operation.attentionReason),
            HeaderName.failureInstance: .string(operation.attentionInstance),
        ]
        headers[HeaderName.traceparent] = operation.route.traceparent.map(HeaderValue.string)
        self.init(
            type: operation.kind.commandType,
            contentType: "application/json",
            // The command's own is not stored; this one stays the same for each copy.
            messageID: operation.id.description,
            correlationID: operation.route.correlationID,
            replyTo: operation.route.isNobody ? ReplyRoute.nobodysQueue : operation.route.replyTo,
            headers: headers,
            body: Self.body(of: operation.kind, payment).encoded
        )
    }

    private static func body(of kind: OperationKind, _ payment: Payment) -> JSONValue {
        switch kind {
        case .authorize:
            .object([
                "order_id": .string(payment.orderID), "customer_id": .string(payment.customerID),
                "amount": .integer(payment.amount.minorUnits), "currency": .string(payment.amount.currency.rawValue),
                // Shows that something is missing: see `BodyReduction`.
                "card": .object([:]),
            ])
        case .capture, .refund: .object(["amount": .integer(payment.amount.minorUnits)])
        case .void: .object([:])
        }
    }
}

extension Operation {
    /// Why manual review is needed: a code.
    var attentionReason: String { lastError ?? "needs manual review" }

    /// Names this need of manual review: after a replay the fencing token has moved on.
    var attentionInstance: String { "operation \(id) \(fencingToken)" }
}

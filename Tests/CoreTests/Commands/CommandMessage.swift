import Core

/// Valid command messages, to be spoilt one field at a time.
enum CommandMessage {
    static let paymentID = "0190c3a1-7b2d-7c3e-8f4a-123456789abc"
    static let number = "4111111111111111"
    static let cvv = "987"

    static func authorizeBody(
        order: String = "order-1",
        customer: String = "cust-1",
        amount: String = "5000",
        card: String = #"{"number":"4111111111111111","cvv":"987","expiry_month":12,"expiry_year":2030}"#,
        more: String = ""
    ) -> String {
        """
        {"order_id":"\(order)","customer_id":"\(customer)","amount":\(amount),"currency":"USD","card":\(card)\(more)}
        """
    }

    static func body(of kind: OperationKind) -> String {
        switch kind {
        case .authorize: authorizeBody()
        case .capture, .refund: #"{"amount":5000}"#
        case .void: "{}"
        }
    }

    static func valid(
        _ kind: OperationKind = .authorize,
        payment: String = paymentID,
        key: String = "k-1",
        body: String? = nil
    ) -> Message {
        Message(
            type: kind.commandType,
            contentType: "application/json",
            messageID: "message-1",
            headers: [HeaderName.paymentID: .string(payment), HeaderName.idempotencyKey: .string(key)],
            body: Array((body ?? self.body(of: kind)).utf8)
        )
    }

    static func valid(_ kind: OperationKind = .authorize, _ change: (inout Message) -> Void) -> Message {
        var message = valid(kind)
        change(&message)
        return message
    }
}

extension CommandMessage {
    /// A message whose property is there and not UTF-8, as the mapping from the broker makes it.
    static func unreadable(_ property: Message.Property) -> Message {
        valid { message in
            switch property {
            case .type: message.type = nil
            case .contentType: message.contentType = nil
            case .contentEncoding: message.contentEncoding = nil
            case .messageID: message.messageID = nil
            case .replyTo: message.replyTo = nil
            }
            message.unreadable = [property]
        }
    }
}

/// A test argument with a name.
struct Named<Value: Sendable>: Sendable, CustomStringConvertible {
    let description: String
    let value: Value

    init(_ description: String, _ value: Value) {
        self.description = description
        self.value = value
    }
}

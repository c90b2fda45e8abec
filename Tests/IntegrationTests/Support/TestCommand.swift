import AMQP
import BrokerMapping
import Core

/// A command as an upstream service sends it.
struct TestCommand: Sendable {
    let kind: OperationKind
    let paymentID: String
    var key = Random.id
    var messageID = Random.id
    var body: String
    var correlationID: CorrelationID?
    var merchantID: String?
    var deadline: String?
    var traceparent: String?

    static func authorize(
        amount: Int = 5000,
        card: TestCard = .ample,
        paymentID: String = Random.id,
        order: String = "order-1"
    ) -> TestCommand {
        let body = """
            {"order_id":"\(order)","customer_id":"cust-1","amount":\(amount),"currency":"USD","card":\(card.json)}
            """
        return TestCommand(kind: .authorize, paymentID: paymentID, body: body)
    }

    static func capture(_ paymentID: String, amount: Int? = nil) -> TestCommand {
        TestCommand(kind: .capture, paymentID: paymentID, body: amount.map { #"{"amount":\#($0)}"# } ?? "{}")
    }

    static func refund(_ paymentID: String, amount: Int? = nil) -> TestCommand {
        TestCommand(kind: .refund, paymentID: paymentID, body: amount.map { #"{"amount":\#($0)}"# } ?? "{}")
    }

    static func void(_ paymentID: String) -> TestCommand {
        TestCommand(kind: .void, paymentID: paymentID, body: "{}")
    }

    /// The same command under the same key, in a message of its own.
    var duplicate: TestCommand {
        var copy = self
        copy.messageID = Random.id
        return copy
    }

    /// What the reply carries as its correlation id.
    var correlation: String { correlationID?.description ?? messageID }

    func message(replyTo: String?) -> AMQPMessage {
        var headers: [String: HeaderValue] = ["payment-id": .string(paymentID), "idempotency-key": .string(key)]
        headers["merchant-id"] = merchantID.map(HeaderValue.string)
        headers["deadline"] = deadline.map(HeaderValue.string)
        headers["traceparent"] = traceparent.map(HeaderValue.string)
        return AMQPMessage(
            Message(
                type: "payment.\(kind.rawValue).v1",
                contentType: "application/json",
                messageID: messageID,
                correlationID: correlationID,
                replyTo: replyTo,
                headers: headers,
                body: Array(body.utf8)
            )
        )
    }

    /// As the processor sends round what no command queue took, for ten minutes and more.
    func unroutedForLong(replyTo: String?) -> AMQPMessage {
        let development = Fingerprinter(secret: Array("development-only-fingerprint-secret".utf8))
        var copy = Message(message(replyTo: replyTo))
        copy.headers[HeaderName.unroutedSince] = .integer(0)
        return AMQPMessage(CopyMarks(development).marked(copy))
    }
}

enum Random {
    /// A UUID that nobody else has.
    static var id: String {
        UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max)).description
    }

    /// For names of queues and databases.
    static var name: String { String(UInt64.random(in: 0 ... .max), radix: 36) }
}

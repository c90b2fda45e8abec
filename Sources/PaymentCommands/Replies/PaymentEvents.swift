package import AMQP
import BrokerMapping
package import Core

/// The events from now on, for as long as the connection lives. What happens while nobody is connected is not in it: whoever must not miss
/// one gives the exchange a durable queue of its own (docs/contract.md#events).
///
/// The sequence ends when its client is closed; where the connection is lost, it throws `unavailable`. One task at a time reads it.
public struct PaymentEvents: AsyncSequence, Sendable {
    public typealias Element = ReceivedEvent
    public typealias Failure = PaymentClientError

    private let deliveries: AMQPConsumer
    private let connection: CommandConnection

    package init(_ deliveries: AMQPConsumer, _ connection: CommandConnection) {
        self.deliveries = deliveries
        self.connection = connection
    }

    public struct AsyncIterator: AsyncIteratorProtocol {
        private var deliveries: AMQPConsumer.AsyncIterator
        private let connection: CommandConnection

        package init(_ deliveries: AMQPConsumer.AsyncIterator, _ connection: CommandConnection) {
            self.deliveries = deliveries
            self.connection = connection
        }

        public mutating func next() async throws(PaymentClientError) -> ReceivedEvent? {
            try await next(isolation: nil)
        }

        public mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(PaymentClientError) -> ReceivedEvent? {
            do throws(AMQPError) {
                while let delivery = try await deliveries.next(isolation: actor) {
                    try? delivery.acknowledge()
                    if let event = ReceivedEvent(Message(delivery.message)) { return event }
                }
                return nil
            } catch {
                throw connection.failure(error)
            }
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(deliveries.makeAsyncIterator(), connection)
    }
}

/// Something that became of a payment, told to whoever listens (docs/contract.md#events). It may come more than once, with the same `id`.
public struct ReceivedEvent: Hashable, Sendable {
    public enum Name: String, Hashable, Sendable, CaseIterable {
        case authorized, captured, voided, refunded, declined, expired
        /// Somebody has to look after one of its operations.
        case needsAttention = "needs_attention"

        var routingKey: String { "payment.\(rawValue)" }
    }

    /// Stable per event.
    public let id: String
    public let name: Name
    public let paymentID: String
    public let operation: PaymentOperation
    /// RFC 3339, UTC, with microseconds.
    public let occurredAt: String
    public let payment: PaymentSnapshot
    /// The body as it came: UTF-8 JSON.
    public let body: [UInt8]

    /// `nil` for what is no event of version 1.
    package init?(_ message: Message) {
        guard let json = try? JSONParser.parse(message.body), let id = message.messageID,
            let name = json["event"]?.string.flatMap(Name.init(rawValue:)),
            let operation = json["operation"]?.string.flatMap(PaymentOperation.init(rawValue:)),
            let paymentID = json["payment_id"]?.string, let occurredAt = json["occurred_at"]?.string,
            let payment = json["payment"].flatMap(PaymentSnapshot.init)
        else { return nil }
        self.id = id
        self.name = name
        self.operation = operation
        self.paymentID = paymentID
        self.occurredAt = occurredAt
        self.payment = payment
        body = message.body
    }
}

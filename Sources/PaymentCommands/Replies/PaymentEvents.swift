package import AMQP
import BrokerMapping
import Core

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

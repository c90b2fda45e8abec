import Synchronization

/// A message that the broker has handed to a consumer and that waits to be settled.
///
/// Left unsettled, it is delivered again, marked `redelivered`, after its channel or connection has ended.
package final class AMQPDelivery: Sendable {
    package let message: AMQPMessage
    package let exchange: String
    package let routingKey: String
    package let redelivered: Bool
    package let deliveryTag: UInt64
    package let consumerTag: String
    private let settlements: SettlementQueue
    private let activity: ConsumerActivity
    private let isSettled = Atomic(false)

    init(
        message: AMQPMessage,
        exchange: String,
        routingKey: String,
        redelivered: Bool,
        deliveryTag: UInt64,
        consumerTag: String,
        settlements: SettlementQueue,
        activity: ConsumerActivity
    ) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
        self.deliveryTag = deliveryTag
        self.consumerTag = consumerTag
        self.settlements = settlements
        self.activity = activity
    }

    /// Tells the broker that the message is done with. Only enqueues: the acknowledgements of a turn travel together, and
    /// the broker answers none of them. A second settlement of a delivery is ignored.
    ///
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func acknowledge() throws(AMQPError) {
        settle()
        try settlements.add(.acknowledge(deliveryTag))
    }

    /// Gives the message back. Only enqueues, as `acknowledge()`.
    ///
    /// - Parameter requeue: to the queue; otherwise it is dead-lettered, or dropped where the queue has no dead-letter
    ///   exchange.
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func reject(requeue: Bool) throws(AMQPError) {
        settle()
        try settlements.add(.reject(deliveryTag, requeue: requeue))
    }

    private func settle() {
        if !isSettled.exchange(true, ordering: .relaxed) { activity.settled() }
    }
}

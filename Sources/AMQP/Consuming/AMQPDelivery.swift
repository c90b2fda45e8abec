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
    let receivedAt: ContinuousClock.Instant
    /// The index of its channel, and the number of its consumer.
    private let consumer: (lane: Int, number: UInt64)
    private let settlements: SettlementQueue
    private let activity: ConsumerActivity
    private let isSettled = Atomic(false)

    init(
        message: AMQPMessage,
        exchange: String,
        routingKey: String,
        redelivered: Bool,
        deliveryTag: UInt64,
        receivedAt: ContinuousClock.Instant,
        consumer: (lane: Int, number: UInt64),
        settlements: SettlementQueue,
        activity: ConsumerActivity
    ) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
        self.deliveryTag = deliveryTag
        self.receivedAt = receivedAt
        self.consumer = consumer
        self.settlements = settlements
        self.activity = activity
    }

    /// When it has expired by the broker's count, which began before it came; `nil` where it does not.
    var expiry: ContinuousClock.Instant? {
        message.properties.expiration.flatMap { UInt32($0) }.map { receivedAt + .milliseconds($0) }
    }

    /// Tells the broker that the message is done with. Only enqueues: the acknowledgements of a turn travel together, and
    /// the broker answers none of them. A second settlement of a delivery is ignored.
    ///
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func acknowledge() throws(AMQPError) {
        try settle(.acknowledge)
    }

    /// Gives the message back. Only enqueues, as `acknowledge()`.
    ///
    /// - Parameter requeue: to the queue; otherwise it is dead-lettered, or dropped where the queue has no dead-letter
    ///   exchange.
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func reject(requeue: Bool) throws(AMQPError) {
        try settle(.reject(requeue: requeue))
    }

    private func settle(_ kind: SettlementQueue.Settlement.Kind) throws(AMQPError) {
        let (lane, number) = consumer
        if !isSettled.exchange(true, ordering: .relaxed) { try activity.settled() }
        settlements.add(SettlementQueue.Settlement(lane: lane, consumer: number, tag: deliveryTag, kind: kind))
    }
}

/// A subscription to one queue: a sequence of its deliveries.
///
/// The sequence ends without an error after `cancel()` and after the connection was closed by this side; else with the
/// error that ended it: `cancelledByBroker` (the queue is gone or has moved), `channelClosed`, `connectionLost`, …. When
/// the task that iterates is cancelled, `next()` returns nil while the subscription goes on; `cancel()` it, or close the
/// connection. Deliveries that nobody takes out stay unsettled and are delivered again when the connection ends.
package struct AMQPConsumer: AsyncSequence, Sendable {
    package typealias Element = AMQPDelivery
    package typealias Failure = AMQPError

    package let queue: String
    package let consumerTag: String
    let buffer: DeliveryBuffer
    let activity: ConsumerActivity
    let connection: AMQPConnection

    package struct AsyncIterator: AsyncIteratorProtocol {
        let buffer: DeliveryBuffer

        package mutating func next() async throws(AMQPError) -> AMQPDelivery? {
            try await next(isolation: nil)
        }

        package mutating func next(
            isolation actor: isolated (any Actor)?
        ) async throws(AMQPError) -> AMQPDelivery? {
            try await buffer.next(isolation: actor)?.get()
        }
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(buffer: buffer)
    }

    /// Deliveries so far.
    package var deliveryCount: UInt64 { activity.current.deliveries }

    /// Since when it has been given nothing and has had nothing to settle; `nil` where something is not settled.
    package var quietSince: ContinuousClock.Instant? {
        let state = activity.current
        return state.unsettled == 0 ? state.lastSign : nil
    }

    /// Of the deliveries that nobody has taken out: when the oldest came, and when the first of those that expire has done so by the
    /// broker's count. `nil` where there are none.
    package var waiting: (since: ContinuousClock.Instant, expiry: ContinuousClock.Instant?)? { buffer.waiting }

    /// Whether no more deliveries come: it was stopped or cancelled, or its channel, connection or queue is gone.
    package var hasEnded: Bool { buffer.hasEnded }

    /// Ends the sequence at once. The broker is not told: what is buffered and what still comes, up to the prefetch, stays unsettled
    /// until `close()`. What was yielded can be settled.
    package func stop() { buffer.finish(nil, dropping: true) }

    /// Ends the subscription with its channel. What is not settled is delivered again, to the next consumer of the queue, in its order and
    /// before anything else: other than after `cancel()`, which lets the next one read on at once. Never fails: where the broker does
    /// not answer, the connection ends, which does the same.
    package func close() async { await connection.closeConsumer(consumerTag) }

    /// Stops the deliveries (`basic.cancel`). The channel stays until all that was delivered is settled; what is
    /// buffered is still yielded, then the sequence ends. Does nothing when the subscription has ended already.
    ///
    /// - Throws: why the connection ended before the broker had answered.
    package func cancel() async throws(AMQPError) {
        try await connection.cancelConsumer(consumerTag)
    }
}

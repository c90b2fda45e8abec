/// What the broker tells of a queue when it is declared or looked up.
package struct AMQPQueueStatus: Sendable, Equatable {
    /// The queue's name, also when the broker has made it up.
    package let name: String
    /// Messages ready for delivery; the delivered and unsettled ones are not counted.
    package let messageCount: Int
    package let consumerCount: Int
}

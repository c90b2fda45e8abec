package import Core

/// What the world outside sees of the broker.
package struct BrokerLog: Sendable {
    /// Everything that reached a reply queue, in order.
    package var replies: [(queue: String, message: Message)] = []
    /// What was returned to its publisher because no queue took it.
    package var returned: [(routingKey: String, message: Message)] = []
    /// Everything that was told to whoever listens, in order.
    package var events: [Message] = []
    /// How many messages reached the dead letters.
    package var deadLetters = 0
    package var deferred = 0
    package var redeliveries = 0
    package var overDeliveryLimit = 0
}

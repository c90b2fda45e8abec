/// A processor among those that share the command queues.
package struct Member: Hashable, Sendable {
    /// Host, process and start: another one after each start.
    package let id: String
    package let version: String
    package let startedAt: Timestamp
    /// By the store's clock.
    package let lastSeen: Timestamp
    /// The partitions that it is subscribed to.
    package let subscribed: Set<Int>

    package init(id: String, version: String, startedAt: Timestamp, lastSeen: Timestamp, subscribed: Set<Int>) {
        self.id = id
        self.version = version
        self.startedAt = startedAt
        self.lastSeen = lastSeen
        self.subscribed = subscribed
    }

    /// Between two signs of life.
    package static let heartbeat = Duration.seconds(2)
    /// Without a sign for so long it is gone.
    package static let timeout = Duration.seconds(10)
}

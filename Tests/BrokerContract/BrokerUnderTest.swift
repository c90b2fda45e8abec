package import Core

/// A broker with docs/contract.md#topology under names of its own, as a client sees it.
package protocol BrokerUnderTest: Sendable {
    var names: BrokerNames { get }

    /// Mandatory, and confirmed.
    func publish(_ message: Message, exchange: String, routingKey: String) async throws -> PublishOutcome

    /// A new client that reads a queue from now on.
    func read(_ queue: String, prefetch: Int) async throws -> any BrokerReader

    /// Declares a reply queue; one that is full refuses everything.
    func declareReplyQueue(_ name: String, isFull: Bool) async throws

    /// The messages of a queue that nobody has been given.
    func readyCount(_ queue: String) async throws -> Int

    /// Lets that much time go by.
    func pass(_ duration: Duration) async throws

    /// Whether it drops a copy with somebody else's `x-death` as a cycle, as RabbitMQ 3.10 does
    /// (docs/correctness.md#copied-headers). `nil`: not known.
    var dropsCycles: Bool? { get }
}

/// A client that reads a queue, on a connection of its own.
package protocol BrokerReader: Sendable {
    /// What it was given so far.
    var received: [ReceivedMessage] { get }

    /// What `basic.cancel` does.
    func cancel() async throws

    /// Closes its connection.
    func close() async throws
}

package struct ReceivedMessage: Sendable {
    package let message: Message
    package let acknowledge: @Sendable () async -> Void
    /// Publishes it once more with all its headers.
    package let republish: @Sendable (_ exchange: String, _ routingKey: String) async throws -> PublishOutcome

    package init(
        message: Message,
        acknowledge: @escaping @Sendable () async -> Void,
        republish: @escaping @Sendable (_ exchange: String, _ routingKey: String) async throws -> PublishOutcome
    ) {
        self.message = message
        self.acknowledge = acknowledge
        self.republish = republish
    }
}

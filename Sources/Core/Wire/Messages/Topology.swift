/// All exchanges, queues and bindings of docs/contract.md#topology, as data: declared by an adapter, compared in tests.
package struct Topology: Hashable, Sendable {
    package let exchanges: [Exchange]
    package let queues: [Queue]
    package let bindings: [Binding]

    /// Durable, as everything here is.
    package struct Exchange: Hashable, Sendable {
        package let name: String
        package let type: String
        package let arguments: [String: HeaderValue]
    }

    /// Durable, and a quorum queue, as all of them are.
    package struct Queue: Hashable, Sendable {
        package let name: String
        package let arguments: [String: HeaderValue]
    }

    package struct Binding: Hashable, Sendable {
        package let exchange: String
        package let queue: String
        package let key: String
    }

    /// - Parameters:
    ///   - names: made from `amqp.prefix`.
    ///   - partitions: `amqp.partitions`, at least 1.
    package init(names: BrokerNames, partitions: Int) {
        exchanges = Self.exchanges(names)
        queues =
            (0..<partitions).map { Queue(name: names.commandsQueue($0), arguments: Self.commandQueue(names)) }
            + RetryTier.allCases.map { Queue(name: names.retryQueue($0), arguments: Self.retryQueue(names, $0)) }
            + [
                Queue(name: names.deadLetters, arguments: Self.keeping),
                Queue(name: names.unrouted, arguments: Self.keeping),
                Queue(name: names.repliesQueue, arguments: Self.quorum(["x-overflow": .string("reject-publish")])),
                Queue(name: names.sweeps, arguments: Self.sweeps),
            ]
        bindings =
            (0..<partitions).map {
                // The weight, as a consistent-hash exchange reads a binding key.
                Binding(exchange: names.commandsExchange, queue: names.commandsQueue($0), key: "1")
            }
            + RetryTier.allCases.map {
                Binding(exchange: names.retryExchange, queue: names.retryQueue($0), key: $0.rawValue)
            }
            + [
                Binding(exchange: names.deadLetters, queue: names.deadLetters, key: names.deadLettersKey),
                Binding(exchange: names.unrouted, queue: names.unrouted, key: ""),
                Binding(exchange: names.sweeps, queue: names.sweeps, key: names.sweepsKey),
            ]
    }

    private static func exchanges(_ names: BrokerNames) -> [Exchange] {
        [
            Exchange(name: names.unrouted, type: "fanout", arguments: [:]),
            Exchange(name: names.retryExchange, type: "direct", arguments: [:]),
            Exchange(name: names.deadLetters, type: "direct", arguments: [:]),
            Exchange(name: names.eventsExchange, type: "topic", arguments: [:]),
            Exchange(name: names.sweeps, type: "direct", arguments: [:]),
            // Last: what is published to it from the first moment on has an alternate that keeps it.
            Exchange(
                name: names.commandsExchange,
                type: "x-consistent-hash",
                arguments: [
                    "hash-header": .string(HeaderName.paymentID), "alternate-exchange": .string(names.unrouted),
                ]
            ),
        ]
    }

    private static func quorum(_ arguments: [String: HeaderValue]) -> [String: HeaderValue] {
        arguments.merging(["x-queue-type": .string("quorum")]) { _, type in type }
    }

    /// Single active consumer: the commands of one partition stay in order.
    private static func commandQueue(_ names: BrokerNames) -> [String: HeaderValue] {
        quorum([
            "x-single-active-consumer": .bool(true),
            "x-delivery-limit": .integer(50),
            "x-dead-letter-exchange": .string(names.deadLetters),
            "x-dead-letter-routing-key": .string(names.deadLettersKey),
            "x-dead-letter-strategy": .string("at-least-once"),
            "x-overflow": .string("reject-publish"),
        ])
    }

    /// One queue per tier, whose messages go back to the commands when their time is up. At-least-once needs the strategy,
    /// reject-publish and the dead-letter exchange together.
    private static func retryQueue(_ names: BrokerNames, _ tier: RetryTier) -> [String: HeaderValue] {
        quorum([
            "x-message-ttl": .integer(tier.delay.microseconds / 1_000),
            "x-dead-letter-exchange": .string(names.commandsExchange),
            "x-dead-letter-strategy": .string("at-least-once"),
            "x-overflow": .string("reject-publish"),
        ])
    }

    /// A delivery limit that is never reached: `-1` destroys messages on RabbitMQ 3.10 at the first requeue.
    private static let keeping = quorum(["x-delivery-limit": .integer(2_000_000_000)])

    private static let sweeps = quorum(["x-single-active-consumer": .bool(true), "x-message-ttl": .integer(60_000)])
}

/// The names of everything at the broker (docs/contract.md#topology), from one prefix.
package struct BrokerNames: Hashable, Sendable {
    package let prefix: String

    /// - Parameter prefix: `amqp.prefix`, usually `payments`.
    package init(prefix: String = "payments") {
        self.prefix = prefix
    }

    package var commandsExchange: String { "\(prefix).commands" }
    package func commandsQueue(_ partition: Int) -> String { "\(prefix).commands.\(partition)" }
    package var retryExchange: String { "\(prefix).retry" }
    package func retryQueue(_ tier: RetryTier) -> String { "\(prefix).retry.\(tier.rawValue)" }
    /// Both the exchange and the queue.
    package var deadLetters: String { "\(prefix).dead-letters" }
    package var deadLettersKey: String { "dead" }
    /// Both the exchange and the queue.
    package var unrouted: String { "\(prefix).unrouted" }
    package var repliesQueue: String { "\(prefix).replies" }
    package var eventsExchange: String { "\(prefix).events" }
    /// Both the exchange and the queue.
    package var sweeps: String { "\(prefix).sweeps" }
    package var sweepsKey: String { "tick" }
}

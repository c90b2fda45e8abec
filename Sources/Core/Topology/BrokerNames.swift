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

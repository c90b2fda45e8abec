import AMQP
import BrokerMapping
import Core

/// Brings the broker's objects to what docs/contract.md#topology says, or says what is in the way. Repeating it changes
/// nothing.
struct TopologyDeclarer: Sendable {
    let topology: Topology
    /// `amqp.declare`.
    let declares: Bool

    /// Declares everything, or only looks whether it is there, as configured.
    func prepare(_ connection: AMQPConnection) async throws(TopologyError) {
        if declares {
            try await declare(on: connection)
        } else {
            try await check(on: connection)
        }
    }

    /// Queues first, then each exchange with its bindings, in their order: an exchange without its bindings would take messages,
    /// confirm them, and drop them.
    private func declare(on connection: AMQPConnection) async throws(TopologyError) {
        for queue in topology.queues {
            try await declaring("queue \(queue.name)") { () async throws(AMQPError) in
                _ = try await connection.declareQueue(queue.name, arguments: AMQPTable(queue.arguments))
            }
        }
        for exchange in topology.exchanges {
            try await declaring("exchange \(exchange.name)") { () async throws(AMQPError) in
                try await connection.declareExchange(
                    exchange.name,
                    kind: exchange.type,
                    arguments: AMQPTable(exchange.arguments)
                )
            }
            for binding in topology.bindings where binding.exchange == exchange.name {
                try await declaring("binding of \(binding.queue) to \(binding.exchange)") {
                    () async throws(AMQPError) in
                    try await connection.bindQueue(binding.queue, to: binding.exchange, routingKey: binding.key)
                }
            }
        }
    }

    /// Looks that everything is there, and changes nothing: for a broker whose objects others manage (`amqp.declare` false).
    private func check(on connection: AMQPConnection) async throws(TopologyError) {
        for exchange in topology.exchanges {
            try await naming("exchange \(exchange.name)") { () async throws(AMQPError) in
                try await connection.checkExchange(exchange.name)
            }
        }
        for queue in topology.queues {
            try await naming("queue \(queue.name)") { () async throws(AMQPError) in
                _ = try await connection.checkQueue(queue.name)
            }
        }
    }

    /// Where two processors start at the same time, the broker may say of what the other one is just making that it does not
    /// exist: a little later it does.
    private func declaring(
        _ object: String,
        _ work: () async throws(AMQPError) -> Void
    ) async throws(TopologyError) {
        for _ in 0..<Self.tries {
            do throws(TopologyError) {
                return try await naming(object, work)
            } catch .missing {
                guard (try? await Task.sleep(for: Self.pause)) != nil else { break }
            }
        }
        try await naming(object, work)
    }

    private static let tries = 20
    private static let pause = Duration.milliseconds(100)

    private func naming(
        _ object: String,
        _ work: () async throws(AMQPError) -> Void
    ) async throws(TopologyError) {
        do throws(AMQPError) {
            try await work()
        } catch {
            throw TopologyError(object, error)
        }
    }
}

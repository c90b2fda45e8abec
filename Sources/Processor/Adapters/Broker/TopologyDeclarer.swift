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
    func declare(on connection: AMQPConnection) async throws(TopologyError) {
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
                try await bind(binding, on: connection)
            }
        }
    }

    /// Makes all bindings, which is nothing where they are there.
    func bind(on connection: AMQPConnection) async throws(TopologyError) {
        for binding in topology.bindings { try await bind(binding, on: connection) }
    }

    private func bind(_ binding: Topology.Binding, on connection: AMQPConnection) async throws(TopologyError) {
        try await declaring("binding of \(binding.queue) to \(binding.exchange)") { () async throws(AMQPError) in
            try await connection.bindQueue(binding.queue, to: binding.exchange, routingKey: binding.key)
        }
    }

    // MARK: Looking

    /// The exchanges and queues.
    var objects: [BrokerTrouble.Object] {
        topology.exchanges.map { .exchange($0.name) } + topology.queues.map { .queue($0.name) }
    }

    /// What the exchanges do with the keys that the processor uses.
    var routes: [BrokerTrouble.Object] {
        topology.bindings.map { .route(exchange: $0.exchange, key: $0.key) }
            + topology.queues.map { .route(exchange: "", key: $0.name) }
    }

    var bindings: [BrokerTrouble.Object] {
        topology.bindings.map { .binding(queue: $0.queue, exchange: $0.exchange) }
    }

    /// Which of the objects are not there. Changes nothing.
    func missing(on connection: AMQPConnection) async throws(TopologyError) -> [BrokerTrouble.Object] {
        var missing: [BrokerTrouble.Object] = []
        for object in objects {
            do throws(TopologyError) {
                try await naming("\(object)") { () async throws(AMQPError) in
                    switch object {
                    case .exchange(let name): try await connection.checkExchange(name)
                    case .queue(let name): _ = try await connection.checkQueue(name)
                    case .route, .binding, .policy: break
                    }
                }
            } catch .missing {
                missing.append(object)
            }
        }
        return missing
    }

    /// For a broker whose objects others manage (`amqp.declare` false).
    private func check(on connection: AMQPConnection) async throws(TopologyError) {
        let missing = try await missing(on: connection)
        guard missing.isEmpty else { throw .missing(object: missing.map(\.description).joined(separator: ", ")) }
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

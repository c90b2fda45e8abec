import AMQP
import BrokerMapping
import Core

/// Brings the broker's objects to what docs/contract.md#topology says, or says what is in the way. Repeating it changes
/// nothing.
struct TopologyDeclarer: Sendable {
    let topology: Topology
    /// `amqp.declare`.
    let declares: Bool

    /// Declares everything, or only checks whether it is there, as configured.
    ///
    /// Where a part of the queues is missing, somebody may just be deleting them: they are left alone for a moment, see
    /// ``TopologyKeeper``.
    func prepare(_ connection: AMQPConnection) async throws(TopologyError) {
        guard declares else { return try await check(on: connection) }
        let missing = try await missing(on: connection).count(where: \.isQueue)
        if missing > 0, missing < topology.queues.count { try? await Task.sleep(for: Self.rest) }
        for queue in topology.queues { try await declare(queue, on: connection) }
        for exchange in topology.exchanges { try await declare(exchange, on: connection) }
    }

    /// Declares what was found missing: queues first, then exchanges.
    ///
    /// - Parameters:
    ///   - missing: what to declare.
    ///   - absent: queues that are missing too and are left for later, and with them the exchanges that are bound to them.
    /// - Returns: what was declared.
    func declare(
        _ missing: Set<BrokerTrouble.Object>,
        without absent: Set<BrokerTrouble.Object>,
        on connection: AMQPConnection
    ) async throws(TopologyError) -> [BrokerTrouble.Object] {
        let queues = topology.queues.filter { missing.contains(.queue($0.name)) }
        for queue in queues { try await declare(queue, on: connection) }
        let exchanges = topology.exchanges.filter { exchange in
            missing.contains(.exchange(exchange.name))
                && !bindings(of: exchange).contains { absent.contains(.queue($0.queue)) }
        }
        for exchange in exchanges { try await declare(exchange, on: connection) }
        return queues.map { .queue($0.name) } + exchanges.map { .exchange($0.name) }
    }

    /// Makes the bindings, which is nothing where they are there.
    ///
    /// - Parameter missing: exchanges and queues that are not there.
    func bind(without missing: Set<BrokerTrouble.Object>, on connection: AMQPConnection) async throws(TopologyError) {
        for binding in topology.bindings
        where !missing.contains(.queue(binding.queue)) && !missing.contains(.exchange(binding.exchange)) {
            try await bind(binding, on: connection)
        }
    }

    private func declare(_ queue: Topology.Queue, on connection: AMQPConnection) async throws(TopologyError) {
        try await declaring("queue \(queue.name)") { () async throws(AMQPError) in
            _ = try await connection.declareQueue(queue.name, arguments: AMQPTable(queue.arguments))
        }
    }

    /// With its bindings at once: without them it would take messages, confirm them, and drop them.
    private func declare(_ exchange: Topology.Exchange, on connection: AMQPConnection) async throws(TopologyError) {
        try await declaring("exchange \(exchange.name)") { () async throws(AMQPError) in
            try await connection.declareExchange(
                exchange.name,
                kind: exchange.type,
                arguments: AMQPTable(exchange.arguments)
            )
        }
        for binding in bindings(of: exchange) { try await bind(binding, on: connection) }
    }

    private func bindings(of exchange: Topology.Exchange) -> [Topology.Binding] {
        topology.bindings.filter { $0.exchange == exchange.name }
    }

    private func bind(_ binding: Topology.Binding, on connection: AMQPConnection) async throws(TopologyError) {
        try await declaring("binding of \(binding.queue) to \(binding.exchange)") { () async throws(AMQPError) in
            try await connection.bindQueue(binding.queue, to: binding.exchange, routingKey: binding.key)
        }
    }

    // MARK: Checking

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
    /// In which the broker ends the consumers of a deleted queue.
    private static let rest = Duration.seconds(1)

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

/// What is wrong with the broker's objects, in one line with the way out.
enum TopologyError: Error, CustomStringConvertible {
    /// It is there, with another type or other arguments. The words are the broker's; they name the argument.
    case mismatch(object: String, words: String)
    case missing(object: String)
    /// The consistent-hash exchange type is not known.
    case pluginMissing
    case forbidden(object: String, words: String)
    /// The broker could not be asked.
    case broker(AMQPError)

    init(_ object: String, _ error: AMQPError) {
        let words = error.brokerText ?? error.description
        switch error.code {
        case .channelClosed(406): self = .mismatch(object: object, words: words)
        case .channelClosed(404): self = .missing(object: object)
        case .channelClosed(403): self = .forbidden(object: object, words: words)
        case .connectionClosedByBroker(503), .channelClosed(503): self = .pluginMissing
        default: self = .broker(error)
        }
    }

    /// Only a broker that comes back can help itself; the rest needs an operator.
    var isRetriable: Bool {
        switch self {
        case .broker(let error): error.isRetriable
        case .mismatch, .missing, .pluginMissing, .forbidden: false
        }
    }

    var description: String {
        switch self {
        case .mismatch(let object, let words):
            "\(object) exists with other properties; delete it when it is empty, or choose another amqp.prefix (\(words))"
        case .missing(let object):
            "missing at the broker: \(object); run `processor topology`, or set amqp.declare to true"
        case .pluginMissing:
            "the broker lacks the plugin rabbitmq_consistent_hash_exchange; enable it with rabbitmq-plugins enable"
        case .forbidden(let object, let words):
            "the broker's user may not use \(object); grant it configure, write and read permissions (\(words))"
        case .broker(let error):
            error.description
        }
    }
}

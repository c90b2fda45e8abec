import AMQP
import Core
import Logging

/// What is done at the broker before the first command is taken: the topology is brought to what it must be, what would be noticed only
/// after a card has been charged is tried out, and command queues of a time with more partitions are found.
struct BrokerPreparation: Sendable {
    let declarer: TopologyDeclarer
    let strays: StrayPartitions
    let configuration: AMQPConfiguration
    /// Where there is a management API to ask.
    let policies: PolicyWatch?
    let logger: Logger

    /// - Returns: the command queues beyond the partitions.
    /// - Throws: what waiting cannot fix, with the way out, or that the broker is away.
    func run() async throws(TopologyError) -> StrayPartitions {
        let connection: AMQPConnection
        do throws(AMQPError) {
            connection = try await AMQPConnection.connect(configuration.named("processor topology"))
        } catch {
            throw .broker(error)
        }
        let result: Result<StrayPartitions, TopologyError>
        do throws(TopologyError) {
            result = .success(try await prepare(connection))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }

    private func prepare(_ connection: AMQPConnection) async throws(TopologyError) -> StrayPartitions {
        try await declarer.prepare(connection)
        if let policies { try await ask(policies) }
        for exchange in ["", strays.names.retryExchange, strays.names.deadLetters, strays.names.sweeps] {
            try await tryPublishing(to: exchange, on: connection)
        }
        try await BrokerRights(names: strays.names, partitions: strays.partitions).check(on: connection)
        let found = try await strays.found(on: connection)
        if !found.queues.isEmpty {
            let list = found.queues.map { "\($0.name) (\($0.messageCount))" }.joined(separator: ", ")
            logger.warning(
                "command queues beyond amqp.partitions are \(found.unbinds ? "unbound and " : "")drained; delete them when they are empty",
                metadata: ["queues": "\(list)"]
            )
        }
        return found
    }

    /// AMQP cannot be asked for bindings; where they may be declared they are there now.
    private func ask(_ policies: PolicyWatch) async throws(TopologyError) {
        let missing: [Topology.Binding]
        do throws(ManagementError) {
            missing = declarer.declares ? [] : try await policies.missingBindings()
            try await policies.check()
        } catch {
            // Reported by the watch.
            return
        }
        guard missing.isEmpty else {
            let list = missing.map { "binding of \($0.queue) to \($0.exchange)" }.joined(separator: ", ")
            throw .missing(object: list)
        }
    }

    /// With a key that leads nowhere: the message comes back, or the broker says that it may not be published there.
    private func tryPublishing(to exchange: String, on connection: AMQPConnection) async throws(TopologyError) {
        let key = "\(strays.names.prefix).probe.\(UInt64.random(in: 0 ... .max))"
        do throws(AMQPError) {
            _ = try await connection.publish(AMQPMessage(), exchange: exchange, routingKey: key, timeout: .seconds(10))
        } catch {
            let name =
                exchange.isEmpty
                ? "the default exchange (amq.default), which replies go through" : "exchange \(exchange)"
            throw TopologyError(name, error)
        }
    }
}

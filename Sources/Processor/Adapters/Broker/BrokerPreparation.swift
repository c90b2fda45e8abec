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

/// Whether the broker's user may do what cannot be tried out by doing it: publish commands and events, which somebody would get, and read
/// the queues, whose messages would be counted as delivered.
///
/// The broker looks at rights first. So it is asked for something that is wrong for another reason, too, and is expected to complain of that.
struct BrokerRights: Sendable {
    let names: BrokerNames
    let partitions: Int

    /// Changes nothing. The broker's log has a line for each question.
    ///
    /// - Throws: `forbidden`, naming the exchange or queue and what may not be done with it.
    func check(on connection: AMQPConnection) async throws(TopologyError) {
        // Replays publish commands.
        for exchange in [names.commandsExchange, names.eventsExchange] {
            try await check("exchange \(exchange)") { () async throws(AMQPError) in
                var message = AMQPMessage()
                message.properties.expiration = "never"
                _ = try await connection.publish(message, exchange: exchange, routingKey: "", timeout: .seconds(10))
            }
        }
        let queues = (0..<partitions).map(names.commandsQueue) + [names.deadLetters, names.unrouted, names.sweeps]
        for queue in queues {
            try await check("queue \(queue)") { () async throws(AMQPError) in
                let consumer = try await connection.consume(
                    queue: queue,
                    prefetch: 1,
                    arguments: ["x-priority": "no number"]
                )
                await consumer.close()
            }
        }
    }

    private func check(_ object: String, _ attempt: () async throws(AMQPError) -> Void) async throws(TopologyError) {
        do throws(AMQPError) {
            try await attempt()
        } catch {
            guard error.code != .channelClosed(replyCode: 406) else { return }
            throw TopologyError(object, error)
        }
    }
}

/// Command queues beyond `amqp.partitions`, of a time when there were more: commands may wait in them, and still be routed to them.
///
/// They are unbound, and consumed as long as the processor runs: another one, of that time, may bind them again.
struct StrayPartitions: Sendable {
    let names: BrokerNames
    let partitions: Int
    /// As much room as whoever reads them has (docs/correctness.md#returned-twice).
    let prefetch: UInt16
    /// `amqp.declare`: whether the topology may be changed.
    let unbinds: Bool
    /// Only named, neither unbound nor consumed from: for who changes nothing.
    var isOnlyNamed = false
    var queues: [AMQPQueueStatus] = []

    /// The most partitions that can be configured.
    private static let most = 256
    /// Queues were made without gaps; a few that were deleted since are passed over.
    private static let gap = 4

    /// Looks for them.
    ///
    /// - Throws: `forbidden`, naming them, where they may not be unbound or consumed.
    func found(on connection: AMQPConnection) async throws(TopologyError) -> StrayPartitions {
        var found = self
        var missing = 0
        for partition in partitions..<max(partitions, Self.most) where missing < Self.gap {
            let name = names.commandsQueue(partition)
            do throws(AMQPError) {
                found.queues.append(try await connection.checkQueue(name))
                missing = 0
            } catch {
                guard error.code == .channelClosed(replyCode: 404) else { throw TopologyError("queue \(name)", error) }
                missing += 1
            }
        }
        if isOnlyNamed { return found }
        try await found.unbind(on: connection)
        try await found.tryConsuming(on: connection)
        return found
    }

    /// Takes them off the commands exchange, which is nothing where they are off already.
    func unbind(on connection: AMQPConnection) async throws(TopologyError) {
        guard unbinds else { return }
        for queue in queues {
            try await naming { () async throws(AMQPError) in
                // The weight that they were bound with.
                try await connection.unbindQueue(queue.name, from: names.commandsExchange, routingKey: "1")
            }
        }
    }

    private func tryConsuming(on connection: AMQPConnection) async throws(TopologyError) {
        for queue in queues {
            try await naming { () async throws(AMQPError) in
                // What it is given goes back in its order.
                await (try await connection.consume(queue: queue.name, prefetch: prefetch)).close()
            }
        }
    }

    private func naming(_ work: () async throws(AMQPError) -> Void) async throws(TopologyError) {
        do throws(AMQPError) {
            try await work()
        } catch {
            // One that was deleted meanwhile is no concern any more.
            guard error.code != .channelClosed(replyCode: 404) else { return }
            let list = queues.map(\.name).joined(separator: ", ")
            throw TopologyError(
                "the command queues beyond amqp.partitions (\(list)), which must be unbound and drained",
                error
            )
        }
    }
}

import AMQP
import Core

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

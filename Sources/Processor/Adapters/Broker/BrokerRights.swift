import AMQP
import Core

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

import AMQP
import BrokerMapping
import Core

/// Publishes on a connection of its own: one that the broker has blocked must not keep the acknowledgements waiting.
struct BrokerSink: MessageSink {
    let session: AMQPSession
    let names: BrokerNames

    /// For the connection, and again for the confirm. Who calls decides whether to try once more.
    private static let patience = Duration.seconds(10)

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        let (exchange, routingKey) = address(of: destination)
        do throws(AMQPError) {
            let connection = try await session.connection(timeout: Self.patience)
            let outcome = try await connection.publish(
                AMQPMessage(message),
                exchange: exchange,
                routingKey: routingKey,
                mandatory: destination.isMandatory,
                timeout: Self.patience
            )
            switch outcome {
            case .confirmed: return .confirmed
            case .returned: return .unroutable
            case .nacked: return .refused
            }
        } catch {
            throw SinkError(detail: error.description)
        }
    }

    private func address(of destination: Destination) -> (exchange: String, routingKey: String) {
        switch destination {
        // The routing key is free: the exchange goes by the payment id.
        case .commands: (names.commandsExchange, "")
        // By way of the default exchange, which routes to the queue of that name.
        case .replies(let queue): ("", queue ?? names.repliesQueue)
        case .retry(let tier): (names.retryExchange, tier.rawValue)
        case .deadLetters: (names.deadLetters, names.deadLettersKey)
        case .event(let event): (names.eventsExchange, event.routingKey)
        case .sweeps: (names.sweeps, names.sweepsKey)
        }
    }
}

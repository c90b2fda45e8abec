import AMQP
import PaymentCommands

/// A connection for a batch, with a reply queue that is this connection's alone.
struct BatchConnection: Sendable {
    let client: CommandConnection
    let replies: AMQPConsumer

    static func open(_ configuration: PublisherConfiguration, window: Int) async throws(Failure) -> BatchConnection {
        let client = try await CommandConnection.opened(configuration)
        do throws(PaymentClientError) {
            let replies = try await client.openReplyQueue(prefetch: UInt16(window))
            return BatchConnection(client: client, replies: replies)
        } catch {
            await client.close()
            throw Failure(error)
        }
    }

    /// What an error on it means.
    func failure(_ error: AMQPError) -> Failure { Failure(client.failure(error)) }
}

import AMQP

/// A connection for a batch, with a reply queue that is this connection's alone.
struct BatchConnection: Sendable {
    let client: BrokerClient
    let replies: AMQPConsumer

    static func open(_ configuration: PublisherConfiguration, window: Int) async throws(Failure) -> BatchConnection {
        let client = try await BrokerClient.connect(configuration)
        do throws(Failure) {
            let replies = try await client.openReplyQueue(prefetch: UInt16(window))
            return BatchConnection(client: client, replies: replies)
        } catch {
            await client.close()
            throw error
        }
    }
}

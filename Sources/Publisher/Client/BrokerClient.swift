import AMQP
import BrokerMapping
import Core

/// A connection to the broker, in a publisher's terms.
///
/// One for both ways: the reply queue is exclusive, so it belongs to this connection, and there is little to acknowledge.
struct BrokerClient: Sendable {
    private let connection: AMQPConnection
    private let names: BrokerNames
    private let host: String
    private let user: String

    /// Connects, and looks whether there is somewhere to send commands to.
    static func connect(_ configuration: PublisherConfiguration) async throws(Failure) -> BrokerClient {
        let client: BrokerClient
        do throws(AMQPError) {
            let connection = try await AMQPConnection.connect(configuration.amqp)
            client = BrokerClient(
                connection: connection,
                names: configuration.names,
                host: connection.address.description,
                user: configuration.amqp.user
            )
        } catch {
            throw Failure(.unavailable, "\(error); \(wayIn(error.code))", isPassing: error.isRetriable)
        }
        do throws(AMQPError) {
            try await client.connection.checkExchange(client.names.commandsExchange)
        } catch {
            await client.close()
            throw client.failure(error)
        }
        return client
    }

    private static func wayIn(_ code: AMQPError.Code) -> String {
        switch code {
        case .authenticationFailed: "check the user and the password of amqp.url"
        case .vhostRefused: "check the virtual host of amqp.url"
        case .tlsFailed: "check the broker's certificate, and whether amqp.url means amqp:// or amqps://"
        default: "start the broker, or name another with --amqp-url or AMQP_URL"
        }
    }

    /// A new queue for replies, which lives no longer than the connection.
    func openReplyQueue(prefetch: UInt16) async throws(Failure) -> AMQPConsumer {
        let name = "publisher.\(Identifier.unique())"
        // Of one's own, where the processor knows who may read what (docs/contract.md#merchants).
        let queue = ReplyAddress.allowed("\(ReplyAddress.prefix)\(user).\(name)") ?? "\(ReplyAddress.prefix)\(name)"
        do throws(AMQPError) {
            try await connection.declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
            return try await connection.consume(queue: queue, prefetch: prefetch, exclusive: true)
        } catch {
            throw failure(error)
        }
    }

    /// How many replies wait in the common queue.
    func waitingReplies() async throws(Failure) -> Int {
        do throws(AMQPError) {
            return try await connection.messageCount(of: names.repliesQueue)
        } catch {
            throw failure(error)
        }
    }

    /// The common reply queue. Not exclusive: several may share the work.
    func takeReplies(prefetch: UInt16) async throws(Failure) -> AMQPConsumer {
        do throws(AMQPError) {
            return try await connection.consume(queue: names.repliesQueue, prefetch: prefetch)
        } catch {
            throw failure(error)
        }
    }

    /// Hands a command to the broker and waits until it has it. Not mandatory: the exchange has an alternate.
    nonisolated(nonsending) func publish(
        _ command: AMQPMessage,
        timeout: Duration?
    ) async throws(AMQPError) -> AMQPPublishOutcome {
        var command = command
        // The broker vouches for it.
        command.properties.userID = user
        return try await connection.publish(
            command,
            exchange: names.commandsExchange,
            routingKey: command.properties.type ?? "",
            mandatory: false,
            timeout: timeout
        )
    }

    func close() async {
        await connection.close(timeout: .seconds(2))
    }

    /// What an error means to somebody who wants to send commands.
    func failure(_ error: AMQPError) -> Failure {
        switch error.code {
        case .channelClosed(replyCode: 404):
            Failure(
                .unavailable,
                "the broker at \(host) has no exchange '\(names.commandsExchange)': run 'processor topology' first"
            )
        case .channelClosed(replyCode: 403):
            Failure(.unavailable, "the broker at \(host) does not allow this user to send commands or have a queue")
        default:
            // One that was closed in good order, at the broker or here, may be opened again.
            Failure(
                .unavailable,
                "\(error) at \(host): look after the broker, then try again",
                isPassing: error.isRetriable || error.code == .closed
            )
        }
    }
}

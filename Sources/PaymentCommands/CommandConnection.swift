package import AMQP
import BrokerMapping
import Core

/// A connection to the broker, in the terms of those who send commands.
///
/// One for both ways: the reply queue is exclusive, so it belongs to this connection, and there is little to acknowledge.
package struct CommandConnection: Sendable {
    private let connection: AMQPConnection
    private let names: BrokerNames
    private let host: String
    private let user: String

    /// Connects, and looks whether there is somewhere to send commands to.
    package static func connect(
        _ configuration: PaymentClientConfiguration
    ) async throws(PaymentClientError) -> CommandConnection {
        let opened: CommandConnection
        do throws(AMQPError) {
            let connection = try await AMQPConnection.connect(configuration.amqp)
            opened = CommandConnection(
                connection: connection,
                names: configuration.names,
                host: connection.address.description,
                user: configuration.amqp.user
            )
        } catch {
            throw PaymentClientError(
                .unavailable,
                "\(error)",
                isPassing: error.isRetriable,
                refusal: Self.refusal(error.code)
            )
        }
        do throws(AMQPError) {
            try await opened.connection.checkExchange(opened.names.commandsExchange)
        } catch {
            await opened.close()
            throw opened.failure(error)
        }
        return opened
    }

    private static func refusal(_ code: AMQPError.Code) -> PaymentClientError.Refusal {
        switch code {
        case .authenticationFailed: .credentials
        case .vhostRefused: .virtualHost
        case .tlsFailed: .certificate
        default: .other
        }
    }

    /// A new queue for replies, which lives no longer than the connection.
    package func openReplyQueue(prefetch: UInt16) async throws(PaymentClientError) -> AMQPConsumer {
        try await openQueue(named: Self.uniqueName(), prefetch: prefetch)
    }

    /// A new queue for the events with these routing keys, which lives no longer than the connection.
    package func openEventQueue(
        _ routingKeys: [String],
        prefetch: UInt16
    ) async throws(PaymentClientError) -> AMQPConsumer {
        try await openQueue(named: Self.uniqueName() + ".events", prefetch: prefetch, bound: routingKeys)
    }

    private static func uniqueName() -> String { "publisher.\(Identifier.unique())" }

    private func openQueue(
        named name: String,
        prefetch: UInt16,
        bound routingKeys: [String] = []
    ) async throws(PaymentClientError) -> AMQPConsumer {
        // Of one's own, where the processor knows who may read what (docs/contract.md#merchants).
        let queue = ReplyAddress.allowed("\(ReplyAddress.prefix)\(user).\(name)") ?? "\(ReplyAddress.prefix)\(name)"
        do throws(AMQPError) {
            try await connection.declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
            for key in routingKeys {
                try await connection.bindQueue(queue, to: names.eventsExchange, routingKey: key)
            }
            return try await connection.consume(queue: queue, prefetch: prefetch, exclusive: true)
        } catch {
            throw failure(error, at: routingKeys.isEmpty ? nil : names.eventsExchange)
        }
    }

    /// How many replies wait in the common queue.
    package func waitingReplies() async throws(PaymentClientError) -> Int {
        do throws(AMQPError) {
            return try await connection.messageCount(of: names.repliesQueue)
        } catch {
            throw failure(error)
        }
    }

    /// The common reply queue. Not exclusive: several may share the work.
    package func takeReplies(prefetch: UInt16) async throws(PaymentClientError) -> AMQPConsumer {
        do throws(AMQPError) {
            return try await connection.consume(queue: names.repliesQueue, prefetch: prefetch)
        } catch {
            throw failure(error)
        }
    }

    /// Hands a command to the broker and waits until it has it. Not mandatory: the exchange has an alternate.
    package nonisolated(nonsending) func publish(
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

    package func close() async {
        await connection.close(timeout: .seconds(2))
    }

    /// What an error means to somebody who wants to send commands.
    ///
    /// - Parameter exchange: what it was about, where that is not the commands' exchange.
    package func failure(_ error: AMQPError, at exchange: String? = nil) -> PaymentClientError {
        switch error.code {
        case .channelClosed(replyCode: 404):
            PaymentClientError(
                .unavailable,
                "the broker at \(host) has no exchange '\(exchange ?? names.commandsExchange)': run 'processor topology' first"
            )
        case .channelClosed(replyCode: 403):
            PaymentClientError(
                .unavailable,
                "the broker at \(host) does not allow this user to send commands or have a queue"
            )
        default:
            // One that was closed in good order, at the broker or here, may be opened again.
            PaymentClientError(
                .unavailable,
                "\(error) at \(host): look after the broker, then try again",
                isPassing: error.isRetriable || error.code == .closed
            )
        }
    }
}

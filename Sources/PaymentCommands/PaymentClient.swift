import AMQP
import BrokerMapping
import Core

/// Sends payment commands to the broker, and tells their replies: one connection, one reply queue, any number of commands under way.
///
/// ```swift
/// let client = try await PaymentClient.connect(PaymentClientConfiguration(url: "amqps://shop:…@broker.example/%2f"))
/// let key = try await CardSealingKey.load(from: "https://payments.example/.well-known/jwks.json")
/// let command = try PaymentCommand.authorize(
///     amount: 5000, orderID: "order-1", customerID: "customer-1", card: card, sealedFor: key
/// )
/// let reply = try await client.send(command).value(within: .seconds(60))
/// ```
///
/// A connection that is lost stays lost: everything under way ends with `connectionLost`. Connect again, and send again what has no final
/// reply, the same values. Close a client that is done with.
public actor PaymentClient {
    /// Replies that the broker sends ahead of their acknowledgement.
    private static let prefetch: UInt16 = 200

    private let connection: CommandConnection
    /// Opened with the first command that wants its reply here.
    private var opening: Task<Result<AMQPConsumer, PaymentClientError>, Never>?
    /// By message id: those without a final reply.
    private var pending: [String: PendingReply] = [:]
    private var loss: PaymentClientError?

    private init(_ connection: CommandConnection) {
        self.connection = connection
    }

    /// Connects, and looks whether there is a processor's exchange to send commands to.
    ///
    /// - Throws: `PaymentClientError.Code.unavailable`.
    public static func connect(
        _ configuration: PaymentClientConfiguration
    ) async throws(PaymentClientError) -> PaymentClient {
        PaymentClient(try await CommandConnection.connect(configuration))
    }

    /// Hands a command to the broker.
    ///
    /// Commands of one payment keep their order where each is sent after this has returned for the one before.
    ///
    /// - Parameters:
    ///   - command: not changed by being sent: send it again, here or on another connection, when its reply was lost.
    ///   - timeout: how long to wait for the broker's confirm.
    /// - Returns: when the broker has it, safely stored. Its reply is to be waited for.
    /// - Throws: `refused` or `unavailable` where the broker has it not, `unconfirmed` where nobody knows.
    public func send(
        _ command: PaymentCommand,
        confirmedWithin timeout: Duration = .seconds(30)
    ) async throws(PaymentClientError) -> PendingReply {
        let queue = try await prepareForReplies()
        if let loss { throw PaymentClientError(.unavailable, loss.description, isPassing: true) }
        let known = pending[command.messageID]
        let reply = known ?? PendingReply(to: command)
        pending[command.messageID] = reply
        do throws(PaymentClientError) {
            try await publish(command, replyTo: queue, timeout)
        } catch {
            if known == nil { pending[command.messageID] = nil }
            throw error
        }
        return reply
    }

    /// Hands a command to the broker, and waits for its final reply: `send` and `PendingReply.value` in one.
    ///
    /// - Parameter timeout: how long to wait for the final reply, once the broker has the command.
    public func ask(
        _ command: PaymentCommand,
        within timeout: Duration = .seconds(60)
    ) async throws(PaymentClientError) -> PaymentReply {
        try await send(command).value(within: timeout)
    }

    /// Hands a command to the broker whose reply goes to the common reply queue (`payments.replies`), for whoever reads that.
    ///
    /// - Throws: as `send`.
    public func post(
        _ command: PaymentCommand,
        confirmedWithin timeout: Duration = .seconds(30)
    ) async throws(PaymentClientError) {
        try await publish(command, replyTo: nil, timeout)
    }

    /// Listens to what becomes of payments, this client's and everybody else's.
    ///
    /// - Parameter names: which events; by default all.
    /// - Throws: `PaymentClientError.Code.unavailable`.
    public func events(
        _ names: Set<ReceivedEvent.Name> = Set(ReceivedEvent.Name.allCases)
    ) async throws(PaymentClientError) -> PaymentEvents {
        let queue = try await connection.openEventQueue(
            names.map(\.routingKey).sorted(),
            prefetch: Self.prefetch
        )
        return PaymentEvents(queue, connection)
    }

    /// Ends the connection. The broker and the processor go on with every command that was sent.
    public func close() async {
        await connection.close()
    }

    /// Opens the reply queue, where it is not open yet.
    ///
    /// - Returns: its name.
    @discardableResult
    package func prepareForReplies() async throws(PaymentClientError) -> String {
        let task = opening ?? Task { await self.openReplyQueue() }
        opening = task
        return try await task.value.get().queue
    }

    private func openReplyQueue() async -> Result<AMQPConsumer, PaymentClientError> {
        do throws(PaymentClientError) {
            let replies = try await connection.openReplyQueue(prefetch: Self.prefetch)
            Task { await self.read(replies) }
            return .success(replies)
        } catch {
            return .failure(error)
        }
    }

    private func publish(
        _ command: PaymentCommand,
        replyTo queue: String?,
        _ timeout: Duration
    ) async throws(PaymentClientError) {
        let message = AMQPMessage(command.message(replyTo: queue))
        do throws(AMQPError) {
            // A queue that refuses is full, or about to have a new leader.
            for _ in 0..<Self.refusals {
                if try await connection.publish(message, timeout: timeout) == .confirmed { return }
                guard (try? await Task.sleep(for: Self.refusalPause)) != nil else { break }
            }
        } catch {
            guard error.outcomeUnknown else { throw connection.failure(error) }
            throw PaymentClientError(
                .unconfirmed,
                "\(error.code): the broker may have the command or not",
                isPassing: true
            )
        }
        throw PaymentClientError(
            .refused,
            "the broker refused the command, so nothing was done: try again later",
            isPassing: true
        )
    }

    /// How often a command that the broker refuses is sent again, and when: the election of a leader takes a moment.
    private static let refusals = 20
    private static let refusalPause = Duration.milliseconds(250)

    private func read(_ replies: AMQPConsumer) async {
        var cause = AMQPError(.closed)
        do throws(AMQPError) {
            for try await delivery in replies {
                try? delivery.acknowledge()
                accept(Message(delivery.message))
            }
        } catch {
            cause = error
        }
        let loss = PaymentClientError(.connectionLost, "\(cause) before the reply came", isPassing: true)
        self.loss = loss
        for reply in pending.values { reply.lose(loss) }
        pending = [:]
    }

    private func accept(_ message: Message) {
        guard let id = message.correlationID?.text, let reply = ReceivedReply(message), let known = pending[id],
            known.accept(reply)
        else { return }
        pending[id] = nil
    }
}

/// Why there is no reply. The text never holds card data, nor credentials.
public struct PaymentClientError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        /// An address, a file or a key cannot be used as it is. Nothing was sent.
        case configuration
        /// The command breaks a rule of docs/contract.md#commands; the text names the field. Nothing was sent.
        case invalidCommand
        /// The broker cannot be reached, or does not let this user do it. Nothing was sent.
        case unavailable
        /// The broker had no room for the command, so nothing was done.
        case refused
        /// The connection ended before the broker had confirmed the command: it may have it or not.
        case unconfirmed
        /// The broker has the command. No final reply came within the time that was given for it.
        case noReply
        /// The broker has the command. The connection ended before the final reply came, and the reply queue with it.
        case connectionLost
    }

    public let code: Code
    public let description: String
    /// Whether the same may succeed a little later, with nothing else changed.
    public let isPassing: Bool
    /// Why there is no connection, where that is so.
    package let refusal: Refusal?

    /// What a broker, or the way to it, has against a login.
    package enum Refusal: Hashable, Sendable {
        case credentials, virtualHost, certificate, other
    }

    package init(_ code: Code, _ description: String, isPassing: Bool = false, refusal: Refusal? = nil) {
        self.code = code
        self.description = description
        self.isPassing = isPassing
        self.refusal = refusal
    }

    /// Whether the command may have taken effect all the same. Then send the same `PaymentCommand` again, on a new connection, until a
    /// final reply comes: under its key it takes effect once. Never make another command of it.
    public var mayHaveTakenEffect: Bool {
        switch code {
        case .configuration, .invalidCommand, .unavailable, .refused: false
        case .unconfirmed, .noReply, .connectionLost: true
        }
    }
}

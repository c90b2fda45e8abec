import AMQP
import BrokerMapping
import Core
import Synchronization

/// A connection with a reply queue of its own, and who waits for which reply.
final class LoadClient: Sendable {
    private struct State {
        var waiting: [Int: CheckedContinuation<Reply.Outcome?, Never>] = [:]
        var last = 0
        var isOver = false
    }

    private let connection: AMQPConnection
    private let replies: AMQPConsumer
    private let exchange: String
    private let state = Mutex(State())

    private init(_ connection: AMQPConnection, _ replies: AMQPConsumer, exchange: String) {
        self.connection = connection
        self.replies = replies
        self.exchange = exchange
    }

    static func connect(_ configuration: AMQPConfiguration, replies: UInt16) async throws(AMQPError) -> LoadClient {
        let connection = try await AMQPConnection.connect(configuration)
        let exchange = BrokerNames(prefix: "payments").commandsExchange
        try await connection.checkExchange(exchange)
        let queue = "\(ReplyAddress.prefix)load.\(UInt64.random(in: 0 ... .max))"
        try await connection.declareQueue(queue, durable: false, exclusive: true, autoDelete: true)
        let consumer = try await connection.consume(queue: queue, prefetch: replies, exclusive: true)
        return LoadClient(connection, consumer, exchange: exchange)
    }

    /// Reads replies until the task is cancelled or the connection ends; then nobody waits any more.
    func read() async {
        var deliveries = replies.makeAsyncIterator()
        while let delivery = try? await deliveries.next() {
            try? delivery.acknowledge()
            take(Message(delivery.message))
        }
        let waiting = state.withLock { state in
            state.isOver = true
            defer { state.waiting = [:] }
            return state.waiting.values
        }
        for waiter in waiting { waiter.resume(returning: nil) }
    }

    /// Sends a command and waits for its final reply.
    ///
    /// - Parameter make: the message, given its number and the address of the reply.
    /// - Returns: the outcome; `nil` where the connection ended before.
    /// - Throws: why it could not be sent.
    func ask(_ make: (Int, String) -> Message) async throws(AMQPError) -> Reply.Outcome? {
        let number = state.withLock { state in
            state.last += 1
            return state.last
        }
        let message = AMQPMessage(make(number, replies.queue))
        async let reply = outcome(of: number)
        let confirm = try await connection.publish(message, exchange: exchange, routingKey: "", mandatory: false)
        if confirm != .confirmed { answer(number, nil) }
        return await reply
    }

    func close() async {
        await connection.close()
    }

    private func outcome(of number: Int) async -> Reply.Outcome? {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.isOver { state.waiting[number] = continuation }
                return state.isOver
            }
            if isOver { continuation.resume(returning: nil) }
        }
    }

    private func take(_ message: Message) {
        guard let number = message.correlationID?.text.flatMap({ Int($0) }),
            let json = try? JSONParser.parse(message.body), json["final"] == .bool(true)
        else { return }
        answer(number, json["outcome"]?.string.flatMap(Reply.Outcome.init(rawValue:)))
    }

    private func answer(_ number: Int, _ outcome: Reply.Outcome?) {
        state.withLock { $0.waiting.removeValue(forKey: number) }?.resume(returning: outcome)
    }
}

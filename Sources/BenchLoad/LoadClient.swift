import AMQP
import BrokerMapping
import Core
import Synchronization

/// A connection with a reply queue of its own, and who waits for which reply.
final class LoadClient: Sendable {
    /// Of a command that was sent, or is about to be.
    private enum Place {
        case sent
        case awaited(CheckedContinuation<Reply.Outcome?, Never>)
        /// Before anybody waited for it.
        case answered(Reply.Outcome?)
    }

    private struct State {
        var places: [Int: Place] = [:]
        var last = 0
        var isOver = false
        var lastReply = ContinuousClock.now
    }

    /// A processor that answers nothing for so long has lost something, or is none.
    private static let patience = Duration.seconds(60)

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

    /// Reads replies until the task is cancelled, the connection ends or no reply has come for long; then nobody waits any more.
    func read() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.readAll() }
            group.addTask { await self.untilSilent() }
            await group.next()
            group.cancelAll()
        }
        let places = state.withLock { state in
            state.isOver = true
            defer { state.places = [:] }
            return state.places.values
        }
        for case .awaited(let waiter) in places { waiter.resume(returning: nil) }
    }

    private func readAll() async {
        var deliveries = replies.makeAsyncIterator()
        while let delivery = try? await deliveries.next() {
            try? delivery.acknowledge()
            take(Message(delivery.message))
        }
    }

    private func untilSilent() async {
        while (try? await Task.sleep(for: .seconds(1))) != nil {
            let isSilent = state.withLock { !$0.places.isEmpty && $0.lastReply < .now - Self.patience }
            if isSilent { return }
        }
    }

    /// Sends a command and waits for its final reply.
    ///
    /// - Parameter make: the message, given its number and the address of the reply.
    /// - Returns: the outcome; `nil` where there will be none.
    /// - Throws: why it could not be sent.
    func ask(_ make: (Int, String) -> Message) async throws(AMQPError) -> Reply.Outcome? {
        let number = state.withLock { state in
            // Silence begins with what is waited for.
            if state.places.isEmpty { state.lastReply = .now }
            state.last += 1
            state.places[state.last] = state.isOver ? nil : .sent
            return state.last
        }
        let message = AMQPMessage(make(number, replies.queue))
        do throws(AMQPError) {
            let confirm = try await connection.publish(message, exchange: exchange, routingKey: "", mandatory: false)
            if confirm != .confirmed { answer(number, nil) }
        } catch {
            state.withLock { $0.places[number] = nil }
            throw error
        }
        return await outcome(of: number)
    }

    func close() async {
        await connection.close()
    }

    private func outcome(of number: Int) async -> Reply.Outcome? {
        await withCheckedContinuation { continuation in
            let answer: Reply.Outcome?? = state.withLock { state in
                switch state.places[number] {
                case .sent:
                    state.places[number] = .awaited(continuation)
                    return nil
                case .answered(let outcome):
                    state.places[number] = nil
                    return .some(outcome)
                case .awaited, nil:
                    return .some(nil)
                }
            }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    private func take(_ message: Message) {
        guard let number = message.correlationID?.text.flatMap({ Int($0) }),
            let json = try? JSONParser.parse(message.body), json["final"] == .bool(true)
        else { return }
        answer(number, json["outcome"]?.string.flatMap(Reply.Outcome.init(rawValue:)))
    }

    private func answer(_ number: Int, _ outcome: Reply.Outcome?) {
        let waiter: CheckedContinuation<Reply.Outcome?, Never>? = state.withLock { state in
            state.lastReply = .now
            switch state.places[number] {
            case .sent:
                state.places[number] = .answered(outcome)
                return nil
            case .awaited(let waiter):
                state.places[number] = nil
                return waiter
            case .answered, nil:
                return nil
            }
        }
        waiter?.resume(returning: outcome)
    }
}

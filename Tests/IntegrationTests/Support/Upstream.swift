import AMQP
import BrokerMapping
import Core
import Synchronization
import TestSupport

/// An upstream service: publishes commands, and collects the replies on a queue of its own. Survives restarts of the broker.
final class Upstream: Sendable {
    let replyQueue = "replies.test.\(Random.name)"
    private let session: AMQPSession
    private let book = Mutex<[String: [ReceivedReply]]>([:])
    private let work = Mutex<Task<Void, Never>?>(nil)
    private let browsed = Mutex<[String: [AMQPMessage]]>([:])

    /// It outlives a node of a cluster.
    private static let quorum: AMQPTable = ["x-queue-type": "quorum"]

    init(_ servers: TestServers) throws {
        session = AMQPSession(try AMQPConfiguration(url: servers.amqpURL))
    }

    func start() async throws {
        let task = Task { [self] in
            await withDiscardingTaskGroup { group in
                group.addTask { await self.session.run() }
                group.addTask { await self.collect() }
            }
        }
        work.withLock { $0 = task }
        try await withConnection { _ = try await $0.declareQueue(self.replyQueue, arguments: Self.quorum) }
    }

    func stop() async {
        guard let task = work.withLock({ $0 }) else { return }
        task.cancel()
        await task.value
    }

    /// Does something at the broker, again while there is no connection.
    @discardableResult
    func withConnection<Value: Sendable>(
        _ work: @Sendable (AMQPConnection) async throws -> Value
    ) async throws -> Value {
        try await eventually("the broker was there", within: .seconds(180)) {
            do {
                return try await work(session.connection(timeout: .seconds(10)))
            } catch let error as AMQPError where error.isRetriable || error.code == .closed {
                return nil
            }
        }
    }

    // MARK: Commands

    /// Publishes until it is confirmed, so perhaps more than once.
    func publish(_ message: AMQPMessage, to exchange: String, routingKey: String = "") async throws {
        ContractLog.shared.sent(message, to: exchange)
        try await eventually("the broker confirmed the message", within: .seconds(180)) {
            do {
                let connection = try await session.connection(timeout: .seconds(10))
                let outcome = try await connection.publish(
                    message,
                    exchange: exchange,
                    routingKey: routingKey,
                    timeout: .seconds(20)
                )
                return outcome == .confirmed
            } catch let error as AMQPError where error.code != .cancelled && error.code != .invalidArgument {
                return false
            }
        }
    }

    /// All at once, in no order.
    func publish(_ commands: [TestCommand], to names: BrokerNames) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for command in commands {
                let message = command.message(replyTo: replyQueue)
                group.addTask { try await self.publish(message, to: names.commandsExchange) }
            }
            try await group.waitForAll()
        }
    }

    // MARK: Replies

    var replyCount: Int { allReplies.count }

    var allReplies: [ReceivedReply] { book.withLock { $0.values.flatMap(\.self) } }

    /// All that came for a correlation id, in order.
    func replies(to correlation: String) -> [ReceivedReply] { book.withLock { $0[correlation] ?? [] } }

    func finalReply(
        to command: TestCommand,
        within limit: Duration = .seconds(120)
    ) async throws -> ReceivedReply {
        try await reply(to: command.correlation, within: limit, where: \.isFinal)
    }

    func reply(
        to correlation: String,
        within limit: Duration = .seconds(120),
        where condition: (ReceivedReply) -> Bool = { _ in true }
    ) async throws -> ReceivedReply {
        try await eventually("the reply to \(correlation) came", within: limit) {
            replies(to: correlation).first(where: condition)
        }
    }

    func finalReplies(
        to commands: [TestCommand],
        within limit: Duration = .seconds(240)
    ) async throws -> [ReceivedReply] {
        var missing: [TestCommand] = commands
        try await eventually(
            "all \(commands.count) commands were answered",
            within: limit,
            context: { "missing: \(missing.map { "\($0.kind) \($0.correlation)" })" },
            {
                missing.removeAll { command in replies(to: command.correlation).contains(where: \.isFinal) }
                return missing.isEmpty
            }
        )
        return commands.compactMap { replies(to: $0.correlation).first(where: \.isFinal) }
    }

    /// Binds a queue of its own to all events, before anything is published.
    func listenToEvents(of names: BrokerNames) async throws -> String {
        try await listen(to: names.eventsExchange, key: "payment.#", as: "replies.events.\(Random.name)")
    }

    /// Binds a queue of its own to what is published there with the key, before anything is.
    /// - Parameter queue: by the end of its name scripts/check-contract knows what is in it.
    func listen(to exchange: String, key: String, as queue: String) async throws -> String {
        try await withConnection { connection in
            _ = try await connection.declareQueue(queue)
            try await connection.bindQueue(queue, to: exchange, routingKey: key)
        }
        return queue
    }

    /// The messages of a queue, left in it. They are taken and given back only when their number has changed: RabbitMQ 4 drops what was
    /// given back twenty times.
    func browse(_ queue: String) async throws -> [AMQPMessage] {
        try await withConnection { connection in
            let count = try await connection.messageCount(of: queue)
            guard count > 0 else {
                browsed.withLock { $0[queue] = nil }
                return []
            }
            if let known = browsed.withLock({ $0[queue] }), known.count == count { return known }
            let consumer = try await connection.consume(queue: queue, prefetch: UInt16(clamping: count))
            var deliveries: [AMQPDelivery] = []
            for try await delivery in consumer {
                deliveries.append(delivery)
                ContractLog.shared.received(delivery.message, from: queue)
                if deliveries.count == count { break }
            }
            try await consumer.cancel()
            for delivery in deliveries { try delivery.reject(requeue: true) }
            let messages = deliveries.map(\.message)
            browsed.withLock { $0[queue] = messages }
            return messages
        }
    }

    private func collect() async {
        while !Task.isCancelled {
            do {
                let connection = try await session.connection()
                // After a restart of the broker it is there again, and perhaps has replies in it.
                try await connection.declareQueue(replyQueue, arguments: Self.quorum)
                for try await delivery in try await connection.consume(queue: replyQueue, prefetch: 500) {
                    record(delivery)
                    try delivery.acknowledge()
                }
            } catch {
                try? await Task.sleep(for: .milliseconds(50))
            }
        }
    }

    private func record(_ delivery: AMQPDelivery) {
        ContractLog.shared.received(delivery.message, from: replyQueue)
        // A reply that is not JSON is noticed as one that never came.
        guard let reply = try? ReceivedReply(delivery) else { return }
        let correlation = Message(delivery.message).correlationID?.description ?? ""
        book.withLock { $0[correlation, default: []].append(reply) }
    }
}

/// A reply as an upstream service sees it.
struct ReceivedReply: Sendable {
    let message: AMQPMessage
    let json: JSONValue
    /// The broker gave it out before, to a connection that has ended since.
    let isRedelivered: Bool

    init(_ delivery: AMQPDelivery) throws(JSONError) {
        message = delivery.message
        isRedelivered = delivery.redelivered
        json = try JSONParser.parse(message.body)
    }

    var body: String { String(decoding: message.body, as: UTF8.self) }
    var isFinal: Bool { json["final"] == .bool(true) }
    var outcome: String? { json["outcome"]?.string }
    var errorCode: String? { json["error"]?["code"]?.string }
    var errorMessage: String? { json["error"]?["message"]?.string }
    var paymentStatus: String? { json["payment"]?["status"]?.string }
    var isReplayed: Bool? { message.properties.headers["idempotent-replayed"]?.boolValue }

    /// `succeeded`, or `rejected invalid_transition`: what a test usually asks for.
    var result: String { [outcome, errorCode].compactMap(\.self).joined(separator: " ") }
}

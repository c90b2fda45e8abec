import AMQP
import BrokerMapping
import Core
import Foundation
import PaymentCommands
import Synchronization
import Testing

@testable import Publisher

/// A real broker with commands that a test answers. Its names begin with a prefix of its own.
final class FakeProcessor: Sendable {
    struct Answer: Sendable {
        let outcome: Reply.Outcome
        let code: String?

        static func outcome(_ outcome: Reply.Outcome, _ code: String? = nil) -> Answer {
            Answer(outcome: outcome, code: code)
        }
    }

    static let url = ProcessInfo.processInfo.environment["AMQP_URL"] ?? ""

    let prefix: String
    let connection: AMQPConnection
    private let log = Mutex<(commands: [AMQPMessage], replies: [String])>(([], []))

    /// The commands so far, as they came.
    var commands: [AMQPMessage] { log.withLock { $0.commands } }
    /// The bodies of the replies so far.
    var replies: [String] { log.withLock { $0.replies } }

    private init(prefix: String, connection: AMQPConnection) {
        self.prefix = prefix
        self.connection = connection
    }

    /// Runs the test while commands are answered.
    static func run(
        answering answers: @escaping @Sendable (Command) -> [Answer],
        _ test: (FakeProcessor) async throws -> Void
    ) async throws {
        let prefix = "test.publisher.\(UUID().uuidString.prefix(8).lowercased())"
        let names = BrokerNames(prefix: prefix)
        let processor = FakeProcessor(prefix: prefix, connection: try await .connect(AMQPConfiguration(url: url)))
        let connection = processor.connection
        // Gone with its last queue, and that with this connection.
        try await connection.declareExchange(names.commandsExchange, kind: "fanout", durable: false, autoDelete: true)
        try await connection.declareQueue(names.commandsQueue(0), durable: false, exclusive: true)
        try await connection.bindQueue(names.commandsQueue(0), to: names.commandsExchange, routingKey: "")
        let consumer = try await connection.consume(queue: names.commandsQueue(0), prefetch: 500)
        let answering = Task {
            for try await delivery in consumer {
                await processor.answer(delivery.message, answers)
                try delivery.acknowledge()
            }
        }
        let result: Result<Void, any Error>
        do {
            result = .success(try await test(processor))
        } catch {
            result = .failure(error)
        }
        answering.cancel()
        await connection.close()
        try result.get()
    }

    private func answer(_ delivered: AMQPMessage, _ answers: @Sendable (Command) -> [Answer]) async {
        log.withLock { $0.commands.append(delivered) }
        switch CommandDecoder().decode(Message(delivered)) {
        case .command(let command):
            for answer in answers(command) {
                let error = answer.code.map {
                    ReplyError(code: $0, message: "because", isRetryable: false, source: .bank)
                }
                let reply = Reply(
                    operation: command.kind,
                    outcome: answer.outcome,
                    error: error,
                    payment: nil,
                    paymentID: command.paymentID,
                    idempotencyKey: command.idempotencyKey
                )
                await send(.unstored(reply, to: command))
            }
        case .answerable(let command): await send(OutgoingReply(to: command))
        case .unanswerable(let problem): Issue.record("not answerable: \(problem)")
        }
    }

    private func send(_ reply: OutgoingReply) async {
        log.withLock { $0.replies.append(String(decoding: reply.message.body, as: UTF8.self)) }
        guard let queue = reply.replyTo else { return }
        do {
            _ = try await connection.publish(
                AMQPMessage(reply.message),
                exchange: "",
                routingKey: queue,
                timeout: .seconds(20)
            )
        } catch {
            Issue.record("a reply could not be sent: \(error)")
        }
    }

    /// Waits until the queue is gone; not forever. An exclusive queue whose owner has just been killed still answers, with
    /// "resource locked", until the broker has noticed.
    func queueGoes(_ queue: String) async throws -> Bool {
        for _ in 0..<200 {
            do throws(AMQPError) {
                _ = try await connection.checkQueue(queue)
            } catch {
                switch error.code {
                case .channelClosed(replyCode: 404): return true
                case .channelClosed(replyCode: 405): break
                default: throw error
                }
            }
            try await Task.sleep(for: .milliseconds(50))
        }
        return false
    }

    /// Waits until this many commands have come; not forever.
    func commandsCome(_ count: Int) async throws {
        for _ in 0..<400 where commands.count < count { try await Task.sleep(for: .milliseconds(50)) }
        #expect(commands.count >= count)
    }
}

enum Fixture {
    static let paymentID = "0195a7c2-6f0e-7c3a-9c55-1f2e3d4c5b6a"
    static let card = "4111111111111111"

    static let authorizeBody = #"""
        {"order_id":"o-1","customer_id":"c-1","amount":5000,"card":{"number":"4111111111111111","cvv":"123","expiry_month":12,"expiry_year":2030}}
        """#

    static func line(_ operation: String, _ members: String) -> String {
        #"{"operation":"\#(operation)",\#(members)}"#
    }

    static func authorizeLine(key: String = "k-1") -> String {
        line("authorize", #""idempotency_key":"\#(key)","body":\#(authorizeBody)"#)
    }

    static func reply(_ body: String, replayed: Bool = false) -> ReceivedReply? {
        ReceivedReply(
            Message(headers: [HeaderName.idempotentReplayed: .bool(replayed)], body: Array(body.utf8))
        )
    }

    /// A reply of which only the outcome matters.
    static func reply(_ outcome: Reply.Outcome, code: String? = nil) -> ReceivedReply? {
        let error = code.map { #"{"code":"\#($0)","message":"m","retryable":false,"source":"bank"}"# } ?? "null"
        return reply(#"{"error":\#(error),"final":\#(outcome != .unknown),"outcome":"\#(outcome.rawValue)"}"#)
    }

    /// One that is authorized.
    static func payment() throws -> Payment {
        Payment(
            id: try #require(PaymentID(paymentID)),
            merchantID: .default,
            orderID: "o",
            customerID: "c",
            amount: Money(verified: 5000, currency: .usd),
            createdAt: Timestamp(microseconds: 1),
            status: .authorized,
            activeOperation: nil,
            bank: BankReferences(authorizationID: "auth_1")
        )
    }
}

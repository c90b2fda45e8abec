import AMQP
import BrokerContract
import BrokerMapping
import Core
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("RabbitMQ keeps the broker contract", .timeLimit(.minutes(5)))
struct BrokerContractTests {
    @Test("every check", arguments: BrokerCheck.all)
    func check(_ check: BrokerCheck) async throws {
        let subject = try await Subject()
        let result: Result<Void, any Error>
        do {
            try await check.run(on: subject)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await subject.cleanUp()
        try result.get()
    }

    /// The real topology, under a prefix of its own.
    final class Subject: BrokerUnderTest {
        let names = BrokerNames(prefix: "contract-\(UInt64.random(in: 0 ... .max))")
        /// RabbitMQ 3.10.8 does; 4 looks at nobody's `x-death` but its own, and the suite runs against either.
        let dropsCycles: Bool? = nil
        private let configuration: AMQPConfiguration
        private let connection: AMQPConnection
        private let topology: Topology
        private let replyQueues = Mutex<[String]>([])

        init() async throws {
            configuration = try AMQPConfiguration(url: TestServers.fromEnvironment().amqpURL)
            connection = try await AMQPConnection.connect(configuration)
            topology = Topology(names: names, partitions: 2)
            try await TopologyDeclarer(topology: topology, declares: true).prepare(connection)
        }

        func publish(_ message: Message, exchange: String, routingKey: String) async throws -> PublishOutcome {
            try await publish(AMQPMessage(message), exchange: exchange, routingKey: routingKey)
        }

        func publish(_ message: AMQPMessage, exchange: String, routingKey: String) async throws -> PublishOutcome {
            switch try await connection.publish(
                message,
                exchange: exchange,
                routingKey: routingKey,
                mandatory: true,
                timeout: .seconds(10)
            ) {
            case .confirmed: .confirmed
            case .returned: .unroutable
            case .nacked: .refused
            }
        }

        func read(_ queue: String, prefetch: Int) async throws -> any BrokerReader {
            let connection = try await AMQPConnection.connect(configuration)
            let consumer = try await connection.consume(queue: queue, prefetch: UInt16(prefetch))
            return Reader(connection, consumer, self)
        }

        func declareReplyQueue(_ name: String, isFull: Bool) async throws {
            replyQueues.withLock { $0.append(name) }
            var arguments: AMQPTable = ["x-queue-type": "quorum", "x-overflow": "reject-publish"]
            if isFull { arguments["x-max-length"] = 1 }
            try await connection.declareQueue(name, arguments: arguments)
            guard isFull else { return }
            // A quorum queue takes one or two more than its limit before it says no.
            for _ in 0..<20
            where try await publish(Message(messageID: "filler"), exchange: "", routingKey: name) == .refused {
                return
            }
        }

        func readyCount(_ queue: String) async throws -> Int { try await connection.messageCount(of: queue) }

        func pass(_ duration: Duration) async throws { try await Task.sleep(for: duration) }

        func cleanUp() async throws {
            for queue in topology.queues.map(\.name) + replyQueues.withLock({ $0 }) {
                try await connection.deleteQueue(queue)
            }
            for exchange in topology.exchanges { try await connection.deleteExchange(exchange.name) }
            await connection.close()
        }
    }

    private final class Reader: BrokerReader {
        private let connection: AMQPConnection
        private let consumer: AMQPConsumer
        private let messages = Mutex<[ReceivedMessage]>([])

        init(_ connection: AMQPConnection, _ consumer: AMQPConsumer, _ subject: Subject) {
            self.connection = connection
            self.consumer = consumer
            Task {
                for try await delivery in consumer {
                    let message = ReceivedMessage(message: Message(delivery.message)) {
                        try? delivery.acknowledge()
                    } republish: { exchange, routingKey in
                        try await subject.publish(delivery.message, exchange: exchange, routingKey: routingKey)
                    }
                    self.messages.withLock { $0.append(message) }
                }
            }
        }

        var received: [ReceivedMessage] { messages.withLock { $0 } }

        func cancel() async throws { try await consumer.cancel() }

        func close() async throws { await connection.close() }
    }
}

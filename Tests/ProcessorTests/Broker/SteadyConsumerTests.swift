import AMQP
import BrokerMapping
import Core
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("Consumers that are given nothing", .timeLimit(.minutes(2)))
struct SteadyConsumerTests {
    private let names = BrokerNames(prefix: "steady-\(UInt64.random(in: 0 ... .max))")

    private func connect() async throws -> AMQPConnection {
        try await AMQPConnection.connect(try AMQPConfiguration(url: TestServers.fromEnvironment().amqpURL))
    }

    private func declareQueue(_ queue: Topology.Queue, on connection: AMQPConnection) async throws {
        try await connection.declareQueue(queue.name, arguments: AMQPTable(queue.arguments))
    }

    private var queue: Topology.Queue {
        get throws {
            try #require(Topology(names: names, partitions: 1).queues.first { $0.name == names.commandsQueue(0) })
        }
    }

    private func watch() -> TopologyWatch {
        let logger = Logger(label: "test")
        return TopologyWatch(BrokerTroubles(names: names, partitions: 1, readiness: Readiness(), logger: logger))
    }

    private final class Seen: Sendable {
        let bodies = Mutex<[[UInt8]]>([])
        let renewals = Mutex(0)

        func has(_ bodies: [[UInt8]]) -> Bool { self.bodies.withLock { Set(bodies).isSubset(of: $0) } }
    }

    private func consume(
        _ queue: String,
        on connection: AMQPConnection,
        _ watch: TopologyWatch,
        _ seen: Seen
    ) async throws {
        let steady = SteadyConsumer(watch: watch, quiet: .milliseconds(200))
        try await steady.run(
            queue,
            on: connection,
            prefetch: 3,
            while: { !Task.isCancelled }
        ) { (consumer: AMQPConsumer) async throws(AMQPError) in
            var deliveries = consumer.makeAsyncIterator()
            while let delivery = try await deliveries.next() {
                seen.bodies.withLock { $0.append(delivery.message.body) }
                try delivery.acknowledge()
            }
            seen.renewals.withLock { $0 += 1 }
        }
    }

    private func publish(_ body: [UInt8], to queue: String, on connection: AMQPConnection) async throws {
        let outcome = try await connection.publish(AMQPMessage(body: body), exchange: "", routingKey: queue)
        #expect(outcome == .confirmed)
    }

    @Test("a queue that somebody deletes and declares again at once is consumed, with what it had set aside")
    func declaredAgainAtOnce() async throws {
        let (queue, watch, seen) = (try queue, watch(), Seen())
        let admin = try await connect()
        try await declareQueue(queue, on: admin)
        let bodies = (0..<5).map { [UInt8($0)] }
        let consuming = Task {
            // As a subscription does: when one ends with an error its connection ends, and there is a new one.
            while !Task.isCancelled {
                let connection = try await connect()
                try? await consume(queue.name, on: connection, watch, seen)
                await connection.close()
            }
        }
        try await eventually("the queue is consumed") { try await admin.checkQueue(queue.name).consumerCount == 1 }
        try await admin.deleteQueue(queue.name)
        try await declareQueue(queue, on: admin)
        for body in bodies { try await publish(body, to: queue.name, on: admin) }
        try await eventually("all messages were delivered", context: { "\(seen.bodies.withLock { $0 })" }) {
            // Nobody keeps the topology here: where the broker has told of the deletion, it is there again.
            watch.troubles.clear([.queue(queue.name)], of: .missing)
            return seen.has(bodies)
        }
        consuming.cancel()
        _ = await consuming.result
        try await admin.deleteQueue(queue.name)
        await admin.close()
    }

    @Test("quiet consumers are subscribed again and again, and nothing is lost or read twice")
    func renewed() async throws {
        let (queue, watch, seen) = (try queue, watch(), Seen())
        let admin = try await connect()
        try await declareQueue(queue, on: admin)
        let connections = [try await connect(), try await connect()]
        let consuming = connections.map { connection in
            Task { try await consume(queue.name, on: connection, watch, seen) }
        }
        var bodies: [[UInt8]] = []
        for number in 0..<8 as Range<UInt8> {
            let renewals = seen.renewals.withLock { $0 }
            try await eventually("consumers were renewed") { seen.renewals.withLock { $0 } >= renewals + 2 }
            for part in 0..<5 as Range<UInt8> {
                bodies.append([number, part])
                try await publish([number, part], to: queue.name, on: admin)
            }
            try await eventually("message \(number) was delivered") { seen.has(bodies) }
        }
        #expect(seen.bodies.withLock { $0.count } == bodies.count)
        for task in consuming { task.cancel() }
        for connection in connections { await connection.close() }
        for task in consuming {
            if case .failure(let error) = await task.result { Issue.record(error) }
        }
        try await admin.deleteQueue(queue.name)
        await admin.close()
    }
}

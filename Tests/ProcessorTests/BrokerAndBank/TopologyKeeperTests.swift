import AMQP
import BrokerMapping
import Core
import Logging
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("Keeping the topology", .timeLimit(.minutes(2)))
struct TopologyKeeperTests {
    @Test("a queue that is deleted just before a check is consumed again when it is declared again")
    func consumedAgain() async throws {
        let names = BrokerNames(prefix: "keeper-\(UInt64.random(in: 0 ... .max))")
        let configuration = try AMQPConfiguration(url: TestServers.fromEnvironment().amqpURL)
        let topology = Topology(names: names, partitions: 2)
        let logger = Logger(label: "test")
        let watch = TopologyWatch(
            BrokerTroubles(names: names, partitions: 2, readiness: Readiness(), logger: logger)
        )
        let declarer = TopologyDeclarer(topology: topology, declares: true)
        let keeper = TopologyKeeper(
            session: AMQPSession(configuration),
            declarer: declarer,
            strays: StrayPartitions(names: names, partitions: 2, prefetch: 64, unbinds: true),
            watch: watch,
            logger: logger
        )
        let connection = try await AMQPConnection.connect(configuration)
        try await declarer.prepare(connection)
        let queue = names.commandsQueue(1)
        let delivered = Mutex<Set<[UInt8]>>([])
        let ends = Mutex(0)
        let consuming = Task {
            let consumer = SteadyConsumer(watch: watch)
            try await consumer.run(
                queue,
                on: connection,
                prefetch: 10,
                while: { !Task.isCancelled },
                onMissing: { ends.withLock { $0 += 1 } }
            ) { (consumer: AMQPConsumer) async throws(AMQPError) in
                var deliveries = consumer.makeAsyncIterator()
                while let delivery = try await deliveries.next() {
                    try delivery.acknowledge()
                    delivered.withLock { _ = $0.insert(delivery.message.body) }
                }
            }
        }
        for round in 0..<10 as Range<UInt8> {
            try await eventually("the queue is consumed") { try await connection.checkQueue(queue).consumerCount == 1 }
            try await connection.deleteQueue(queue)
            var absent = try await keeper.check(on: connection, missingBefore: [])
            #expect(absent == [.queue(queue)])
            try await eventually("the broker has ended the consumer") { ends.withLock { $0 == Int(round) + 1 } }
            absent = try await keeper.check(on: connection, missingBefore: absent)
            #expect(absent == [])
            let message = AMQPMessage(body: [round])
            #expect(try await connection.publish(message, exchange: "", routingKey: queue) == .confirmed)
            try await eventually("message \(round) is delivered") { delivered.withLock { $0.contains([round]) } }
        }
        consuming.cancel()
        await connection.close()
        _ = await consuming.result
        let other = try await AMQPConnection.connect(configuration)
        for queue in topology.queues { try await other.deleteQueue(queue.name) }
        for exchange in topology.exchanges { try await other.deleteExchange(exchange.name) }
        await other.close()
    }
}

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

@Suite("Policies on our queues")
struct QueuePolicyTests {
    private static let topology = Topology(names: BrokerNames(), partitions: 1)

    @Test(
        "what removes, expires or drops what waits is named",
        arguments: [
            ("payments.commands.0", #"{"expires":1000}"#, ["expires"]),
            ("payments.retry.5s", #"{"expires":1000,"message-ttl":5}"#, ["expires"]),
            ("payments.commands.0", #"{"message-ttl":1000}"#, ["message-ttl"]),
            ("payments.replies", #"{"message-ttl":1000}"#, ["message-ttl"]),
            ("payments.dead-letters", #"{"max-length":3}"#, ["max-length"]),
            (
                "payments.dead-letters", #"{"max-length":3,"max-length-bytes":9,"overflow":"drop-head"}"#,
                ["max-length", "max-length-bytes"]
            ),
            // The queue's own overflow wins.
            ("payments.commands.0", #"{"max-length":3,"overflow":"drop-head"}"#, []),
            ("payments.unrouted", #"{"max-length":3,"overflow":"reject-publish"}"#, []),
            ("payments.sweeps", #"{"message-ttl":1000}"#, []),
            ("payments.commands.0", #"{"delivery-limit":5,"queue-leader-locator":"balanced"}"#, []),
            ("payments.commands.0", "{}", []),
        ] as [(String, String, [String])]
    )
    func harm(queue: String, policy: String, expected: [String]) throws {
        let queue = try #require(Self.topology.queues.first { $0.name == queue })
        let definition = try JSONParser.parse(Array(policy.utf8))
        #expect(QueuePolicy.harm(of: definition, arguments: queue.arguments) == expected)
    }

    @Test(
        "credentials are encoded as HTTP wants them",
        arguments: [
            ("guest:guest", "Z3Vlc3Q6Z3Vlc3Q="), ("Aladdin:open sesame", "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
            ("a:b", "YTpi"), ("", ""),
        ]
    )
    func base64(text: String, expected: String) {
        #expect(Base64.encoded(Array(text.utf8)) == expected)
    }
}

import AMQP
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

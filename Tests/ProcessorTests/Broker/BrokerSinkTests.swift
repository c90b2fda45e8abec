import AMQP
import Core
import Logging
import TestSupport
import Testing

@testable import Processor

@Suite("What the broker does not take", .timeLimit(.minutes(2)))
struct BrokerSinkTests {
    private let message = Message(type: "payment.refund.result.v1", messageID: "m", headers: [:], body: [])

    /// A sink over the topology under a prefix of its own, and a connection to change it with.
    private func run(_ body: (BrokerSink, BrokerNames, AMQPConnection, BrokerTroubles) async throws -> Void)
        async throws
    {
        let names = BrokerNames(prefix: "sink-\(UInt64.random(in: 0 ... .max))")
        let configuration = try AMQPConfiguration(url: TestServers.fromEnvironment().amqpURL)
        let connection = try await AMQPConnection.connect(configuration)
        let topology = Topology(names: names, partitions: 1)
        try await TopologyDeclarer(topology: topology, declares: true).prepare(connection)
        let session = AMQPSession(configuration)
        let running = Task { await session.run() }
        let readiness = Readiness()
        let troubles = BrokerTroubles(names: names, partitions: 1, readiness: readiness, logger: Logger(label: "test"))
        let sink = BrokerSink(session: session, names: names, watch: TopologyWatch(troubles))
        let result: Result<Void, any Error>
        do {
            result = .success(try await body(sink, names, connection, troubles))
        } catch {
            result = .failure(error)
        }
        running.cancel()
        await running.value
        for queue in topology.queues { try await connection.deleteQueue(queue.name) }
        for exchange in topology.exchanges { try await connection.deleteExchange(exchange.name) }
        await connection.close()
        try result.get()
    }

    @Test("a missing exchange is unusable, without a channel error for each message; what goes elsewhere is confirmed")
    func missing() async throws {
        try await run { sink, names, connection, troubles in
            #expect(try await sink.publish(message, to: .event(.captured)) == .confirmed)
            try await connection.deleteExchange(names.eventsExchange)
            for _ in 0..<50 {
                let error = await #expect(throws: SinkError.self) {
                    try await sink.publish(message, to: .event(.captured))
                }
                #expect(error?.kind == .unusableDestination)
                #expect(try await sink.publish(message, to: .replies(nil)) == .confirmed)
            }
            #expect(troubles.isMissing(.exchange(names.eventsExchange)))
            try await connection.declareExchange(names.eventsExchange, kind: "topic")
            // Nobody keeps the topology here: the gate lets one try after a while.
            try await eventually("an event was confirmed") {
                (try? await sink.publish(message, to: .event(.captured))) == .confirmed
            }
            #expect(!troubles.isMissing(.exchange(names.eventsExchange)))
        }
    }

    @Test("a message that cannot be encoded can never be published")
    func unencodable() async throws {
        try await run { sink, _, _, _ in
            var long = message
            long.correlationID = CorrelationID(String(repeating: "x", count: 256))
            let error = await #expect(throws: SinkError.self) { try await sink.publish(long, to: .replies(nil)) }
            #expect(error?.kind == .unpublishable)
            let after = try await sink.publish(message, to: .replies(nil))
            #expect(after == .confirmed)
        }
    }

    @Test("a queue of our own that is gone is reported; a client's is not")
    func unroutable() async throws {
        try await run { sink, names, connection, troubles in
            let route = BrokerTrouble.Object.route(exchange: "", key: names.repliesQueue)
            #expect(try await sink.publish(message, to: .replies("replies.of.nobody")) == .unroutable)
            try await connection.deleteQueue(names.repliesQueue)
            #expect(try await sink.publish(message, to: .replies(nil)) == .unroutable)
            #expect(troubles.isMissing(route))
            try await connection.declareQueue(names.repliesQueue)
            #expect(try await sink.publish(message, to: .replies(nil)) == .confirmed)
            #expect(!troubles.isMissing(route))
        }
    }
}

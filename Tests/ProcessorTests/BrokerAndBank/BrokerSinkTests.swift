import AMQP
import Core
import Logging
import Synchronization
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

@Suite("Queues that confirm nothing")
struct ConfirmGateTests {
    private final class Clock: Sendable {
        private let start = ContinuousClock.now
        private let passed = Mutex(Duration.zero)

        func pass(_ duration: Duration) { passed.withLock { $0 += duration } }

        var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    }

    private let clock = Clock()
    private let route = ConfirmGate.Route(exchange: "", key: "replies.a")
    private let other = ConfirmGate.Route(exchange: "", key: "replies.b")

    private func gate(limit: Int) -> ConfirmGate { ConfirmGate(limit: limit) { [clock] in clock.now } }

    private func isShut(_ gate: ConfirmGate, _ route: ConfirmGate.Route) -> Bool {
        do throws(SinkError) {
            _ = try gate.enter(route)
            return false
        } catch {
            #expect(error.kind == .silentDestination)
            return true
        }
    }

    @Test("any number may wait as long as the queue answers, those beyond the limit for a short time each")
    func answering() throws {
        let gate = gate(limit: 2)
        for number in 0..<10 { #expect(try gate.enter(route) == (number >= 2)) }
        for _ in 0..<100 {
            clock.pass(.seconds(1))
            #expect(!gate.leave(route, .answered))
            #expect(try gate.enter(route))
        }
    }

    @Test("when it does not answer, no more than the limit are let in, and none once one has waited in vain")
    func silent() throws {
        let gate = gate(limit: 2)
        for _ in 0..<10 { _ = try gate.enter(route) }
        clock.pass(ConfirmGate.grace + .milliseconds(1))
        #expect(isShut(gate, route))
        #expect(try !gate.enter(other))
        for _ in 0..<8 { #expect(gate.leave(route, .unanswered)) }
        #expect(isShut(gate, route))
        for _ in 0..<2 { #expect(gate.leave(route, .unanswered)) }
        #expect(isShut(gate, route))
    }

    @Test("every few seconds one tries; when it is answered, all may again")
    func tries() throws {
        let gate = gate(limit: 1)
        _ = try gate.enter(route)
        clock.pass(.seconds(10))
        #expect(gate.leave(route, .unanswered))
        for _ in 0..<5 {
            #expect(isShut(gate, route))
            clock.pass(ConfirmGate.pause)
            _ = try gate.enter(route)
            for _ in 0..<20 { #expect(isShut(gate, route)) }
            clock.pass(.seconds(10))
            #expect(isShut(gate, route))
            #expect(gate.leave(route, .unanswered))
        }
        clock.pass(ConfirmGate.pause)
        _ = try gate.enter(route)
        #expect(!gate.leave(route, .answered))
        for _ in 0..<5 { _ = try gate.enter(route) }
    }

    @Test("what was answered while one waited, and what never reached the broker, is no sign of silence")
    func noSign() throws {
        let gate = gate(limit: 4)
        for _ in 0..<2 { _ = try gate.enter(route) }
        clock.pass(.seconds(9))
        #expect(!gate.leave(route, .answered))
        clock.pass(.seconds(1))
        #expect(!gate.leave(route, .unanswered))
        _ = try gate.enter(route)
        clock.pass(.seconds(10))
        #expect(!gate.leave(route, .unknown))
        #expect(!isShut(gate, route))
    }
}

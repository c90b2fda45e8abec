import Synchronization
import TestSupport
import Testing

@testable import AMQP

@Suite("A session", .timeLimit(.minutes(2)))
struct SessionTests {
    private static let backoff = AMQPBackoff(initial: .milliseconds(5), maximum: .milliseconds(50))

    /// A session through a proxy, running until the body has ended.
    private func run(
        _ body: (AMQPSession, TCPProxy, inout AsyncStream<AMQPSessionEvent>.Iterator) async throws -> Void
    ) async throws {
        let configuration = try BrokerFixture.configuration()
        let proxy = try TCPProxy(toPort: configuration.port)
        let (events, continuation) = AsyncStream<AMQPSessionEvent>.makeStream()
        let session = AMQPSession(configuration.through(proxy), backoff: Self.backoff) { continuation.yield($0) }
        let running = Task { await session.run() }
        var iterator = events.makeAsyncIterator()
        do {
            try await body(session, proxy, &iterator)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        await running.value
        proxy.stop()
        await #expect(throws: AMQPError(.closed)) { _ = try await session.connection() }
    }

    @Test("makes a new connection after the old one was cut, and never hands out the old one again")
    func reconnects() async throws {
        try await run { session, proxy, events in
            var last: AMQPConnection?
            for _ in 0..<5 {
                let connection = try await session.connection(timeout: .seconds(30))
                #expect(connection !== last)
                #expect(await events.next() == .connected)
                _ = try await connection.declareQueue("", durable: false, exclusive: true)
                proxy.cutConnections()
                _ = await connection.untilClosed()
                guard case .disconnected(let error) = await events.next() else {
                    Issue.record("the loss was not told")
                    return
                }
                #expect(error.code == .connectionLost)
                last = connection
            }
        }
    }

    @Test("keeps trying while the broker is away, tells so, and is there when it comes back")
    func outage() async throws {
        try await run { session, proxy, events in
            _ = try await session.connection()
            #expect(await events.next() == .connected)
            #expect(await session.isConnected)
            proxy.setRefusing(true)
            proxy.cutConnections()
            var failures = 0
            while failures < 4, case .disconnected(let error) = await events.next() {
                failures += 1
                #expect(error.isRetriable)
            }
            #expect(await !session.isConnected)
            await #expect(throws: AMQPError(.timeout)) {
                _ = try await session.connection(timeout: .milliseconds(20))
            }
            let cancelled = Task { try await session.connection() }
            cancelled.cancel()
            await #expect(throws: AMQPError(.cancelled)) { _ = try await cancelled.value }
            let waiting = Task { try await session.connection() }
            proxy.setRefusing(false)
            _ = try await waiting.value.declareQueue("", durable: false, exclusive: true)
            #expect(await session.isConnected)
        }
    }

    @Test("goes on consuming on the next connection, with what was not settled delivered again")
    func consumesOn() async throws {
        try await BrokerFixture.run { broker in
            let queue = try await broker.queue("q", ["x-queue-type": "quorum"])
            try await broker.publish((0..<30).map(String.init), to: queue)
            try await run { session, proxy, _ in
                var seen: Set<String> = []
                var isCut = false
                while seen.count < 30 {
                    let connection = try await session.connection(timeout: .seconds(30))
                    do {
                        for try await delivery in try await connection.consume(queue: queue, prefetch: 4) {
                            try delivery.acknowledge()
                            seen.insert(delivery.message.text)
                            if seen.count == 15, !isCut {
                                isCut = true
                                proxy.cutConnections()
                            }
                            if seen.count == 30 { break }
                        }
                    } catch let error as AMQPError {
                        #expect(error.isRetriable)
                    }
                }
                #expect(isCut)
            }
        }
    }

    @Test("tells when the broker blocks and unblocks, and when it closes the connection")
    func events() async throws {
        try await run { session, proxy, events in
            _ = try await session.connection()
            #expect(await events.next() == .connected)
            proxy.injectToClients(.method(10, 60, [3] + Array("low".utf8)))
            #expect(await events.next() == .blocked(reason: "low"))
            proxy.injectToClients(.method(10, 61, []))
            #expect(await events.next() == .unblocked)
            proxy.injectToClients(.method(10, 50, UInt16(320).bytes + [0, 0, 0, 0, 0]))
            let address = AMQPAddress(host: "127.0.0.1", port: proxy.port).description
            let error = AMQPError(.connectionClosedByBroker(replyCode: 320), brokerText: "", problem: address)
            #expect(await events.next() == .disconnected(error))
            #expect(await events.next() == .connected)
        }
    }

    @Test("never waits longer than a second, unless it is told to")
    func shortPauses() {
        #expect(AMQPBackoff().delay(attempt: 64, jitter: 0) <= .seconds(1))
    }

    @Test("goes to the next node when its own falls silent")
    func nextNode() async throws {
        var configuration = try BrokerFixture.configuration()
        let proxy = try TCPProxy(toPort: configuration.port)
        let there = configuration.addresses[0]
        configuration.addresses = [AMQPAddress(host: "127.0.0.1", port: proxy.port), there]
        configuration.heartbeat = .seconds(1)
        configuration.connectTimeout = .seconds(5)
        let (events, continuation) = AsyncStream<AMQPSessionEvent>.makeStream()
        let session = AMQPSession(configuration, backoff: Self.backoff) { continuation.yield($0) }
        let running = Task { await session.run() }
        let first = try await session.connection()
        #expect(first.address.port == proxy.port)
        for direction in [TCPProxy.Direction.toServer, .toClient] { proxy.setStalled(direction, true) }
        #expect(await first.untilClosed().code == .heartbeatMissed)
        #expect(try await session.connection().address == there)
        running.cancel()
        await running.value
        continuation.finish()
        let errors = await events.reduce(into: [AMQPError]()) { errors, event in
            if case .disconnected(let error) = event { errors.append(error) }
        }
        #expect(errors.first?.description == "no heartbeat from the broker: 127.0.0.1:\(proxy.port)")
        proxy.stop()
    }

    @Test(
        "waits longer after every failure, up to the maximum, with some of it left to chance",
        arguments: [
            (0, 0.0, 100), (0, 1.0, 50), (1, 0.0, 200), (2, 0.5, 300), (3, 0.0, 800), (4, 0.0, 1_000), (64, 0.0, 1_000),
            (64, 1.0, 500),
        ]
    )
    func backsOff(attempt: Int, jitter: Double, milliseconds: Int) {
        let backoff = AMQPBackoff(initial: .milliseconds(100), maximum: .seconds(1))
        #expect(backoff.delay(attempt: attempt, jitter: jitter) == .milliseconds(milliseconds))
    }
}

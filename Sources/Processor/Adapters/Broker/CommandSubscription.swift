import AMQP
import Core
import ServiceLifecycle
import Synchronization

/// Keeps the command queues subscribed: on every new connection anew, until the service shuts down; then takes no more and
/// sees through what it has. While the bank is out it takes nothing, so that the queues keep the backlog, and then one delivery from
/// each queue at a time, of which the circuit breaker lets one try (docs/correctness.md#bank-outage).
struct CommandSubscription: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let partitions: Int
    let prefetch: UInt16
    let consumer: CommandConsumer
    let breaker: CircuitBreaker
    /// Looks at the topology of a new connection before anything is consumed.
    let prepare: @Sendable (AMQPConnection) async throws -> Void
    /// Told when all queues are subscribed.
    let onSubscribed: @Sendable () -> Void
    /// Told why a subscription ended before its time.
    let onFailure: @Sendable (any Error) -> Void

    /// Between two attempts on a connection that is there.
    private static let pause = Duration.seconds(1)

    /// Returns when a graceful shutdown has drained what was delivered, or the task is cancelled.
    ///
    /// - Throws: what `prepare` threw and no later attempt can mend.
    func run() async throws {
        let active = ActiveConsumers { await consumer.placeHeld() }
        try await withGracefulShutdownHandler {
            while await !active.isDraining, !Task.isCancelled {
                do {
                    try await consume(active)
                } catch let error as TopologyError where !error.isRetriable {
                    throw error
                } catch {
                    if await active.isDraining || Task.isCancelled { return }
                    onFailure(error)
                    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
                }
            }
        } onGracefulShutdown: {
            Task { await active.drain() }
        }
    }

    private func consume(_ active: ActiveConsumers) async throws {
        let condition = try await cancelWhenGracefulShutdown { try await breaker.untilNotOpen() }
        let connection = try await cancelWhenGracefulShutdown { try await session.connection() }
        do {
            try await prepare(connection)
            try await consume(from: connection, active, while: condition)
        } catch {
            // What is half subscribed may hold deliveries that nobody reads: closing gives them back.
            await active.cancelAll()
            await connection.close()
            throw error
        }
    }

    /// Returns when the bank's condition is no longer that, or the service shuts down, and what was delivered is done with.
    private func consume(
        from connection: AMQPConnection,
        _ active: ActiveConsumers,
        while condition: BreakerCondition
    ) async throws {
        let prefetch = condition == .closed ? prefetch : 1
        var streams: [AMQPConsumer] = []
        for partition in 0..<partitions {
            let stream = try await connection.consume(queue: names.commandsQueue(partition), prefetch: prefetch)
            streams.append(stream)
            await active.add(stream)
        }
        onSubscribed()
        // When one ends, all end: what is wrong with one queue or the connection is looked at by starting over.
        try await withThrowingTaskGroup(of: Void.self) { group in
            let watch = Task {
                try await breaker.untilNot(condition)
                await active.cancelAll()
            }
            defer { watch.cancel() }
            for stream in streams {
                group.addTask {
                    do throws(AMQPError) {
                        try await consumer.consume(stream.map { BrokerDelivery($0) as any Delivery })
                        await active.cancelAll()
                    } catch {
                        await active.cancelAll()
                        throw error
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// The consumers of the current connection, and whether there may be new ones.
private actor ActiveConsumers {
    private(set) var isDraining = false
    private var consumers: [AMQPConsumer] = []
    /// What must be done before others get their deliveries.
    private let handOver: @Sendable () async -> Void

    init(handOver: @escaping @Sendable () async -> Void) {
        self.handOver = handOver
    }

    func add(_ consumer: AMQPConsumer) async {
        consumers.append(consumer)
        // It may have come too late for `drain`.
        if isDraining { await cancelAll() }
    }

    func drain() async {
        isDraining = true
        await cancelAll()
    }

    /// What they have been given already is still delivered and acknowledged.
    func cancelAll() async {
        let cancelled = consumers
        consumers = []
        if !cancelled.isEmpty { await handOver() }
        for consumer in cancelled { try? await consumer.cancel() }
    }
}

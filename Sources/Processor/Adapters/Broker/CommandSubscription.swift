import AMQP
import Core
import ServiceLifecycle
import Synchronization

/// Keeps the command queues subscribed: on every new connection anew, until the service shuts down; then takes no more and
/// sees through what it has. While the bank is out it takes nothing, so that the queues keep the backlog, and then one delivery from
/// each queue at a time, of which the circuit breaker lets one try (docs/correctness.md#bank-outage). When the store is unavailable it
/// closes its connection, which gives back all that it has, and waits (docs/correctness.md#database-unavailable).
struct CommandSubscription: Sendable {
    let session: AMQPSession
    /// The command queues, and those beyond the partitions.
    let queues: [String]
    let prefetch: UInt16
    let consumer: CommandConsumer
    let breaker: CircuitBreaker
    let steady: SteadyConsumer
    /// Told when all queues that are there are subscribed.
    let onSubscribed: @Sendable () -> Void
    /// Told why a subscription ended before its time.
    let onFailure: @Sendable (any Error) -> Void

    /// Between two attempts on a connection that is there; doubled after each that fails, up to the limit.
    private static let pause = Duration.seconds(1)
    private static let pauseLimit = Duration.seconds(15)

    /// Returns when a graceful shutdown has drained what was delivered, or the task is cancelled.
    func run() async {
        let active = ActiveConsumers { await consumer.placeHeld() }
        await withGracefulShutdownHandler {
            var pause = Self.pause
            while await !active.isDraining, !Task.isCancelled {
                let started = ContinuousClock.now
                do {
                    try await consume(active)
                    pause = Self.pause
                } catch {
                    if await active.isDraining || Task.isCancelled { return }
                    if consumer.isStoreUnavailable { continue }
                    onFailure(error)
                    let rest = .now - started > Self.pauseLimit ? Self.pause : pause
                    try? await cancelWhenGracefulShutdown { try await Task.sleep(for: rest) }
                    pause = min(rest * 2, Self.pauseLimit)
                }
            }
        } onGracefulShutdown: {
            Task { await active.drain() }
        }
    }

    private func consume(_ active: ActiveConsumers) async throws {
        try await cancelWhenGracefulShutdown { try await consumer.untilStoreIsAvailable() }
        let condition = try await cancelWhenGracefulShutdown { try await breaker.untilNotOpen() }
        let connection = try await cancelWhenGracefulShutdown { try await session.connection() }
        do {
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
        let round = await active.begin { await connection.close() }
        let settled = Countdown(queues.count, then: onSubscribed)
        // A queue that vanishes is waited for, and the others go on; when one ends otherwise, all end: what is wrong with the connection
        // is checked by starting over.
        try await withThrowingTaskGroup(of: Void.self) { group in
            let watch = Task {
                try await breaker.untilNot(condition)
                await active.cancelAll()
            }
            defer { watch.cancel() }
            for queue in queues {
                group.addTask {
                    let once = Once { settled.count() }
                    do throws(AMQPError) {
                        try await steady.run(
                            queue,
                            on: connection,
                            prefetch: prefetch,
                            while: { await active.isActive(round) },
                            onMissing: { once.run() },
                            // Another processor may read on from now.
                            onRenewal: { if await !consumer.placeHeld() { await connection.close() } },
                            body: { stream throws(AMQPError) in
                                await active.add(stream, round)
                                once.run()
                                let result: Result<Void, AMQPError>
                                do throws(AMQPError) {
                                    let deliveries = stream.map { BrokerDelivery($0) as any Delivery }
                                    try await consumer.consume(deliveries, giveBack: { await connection.close() })
                                    result = .success(())
                                } catch {
                                    result = .failure(error)
                                }
                                await active.remove(stream)
                                try result.get()
                            }
                        )
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

/// Calls back when so many have been counted.
private final class Countdown: Sendable {
    private let left: Mutex<Int>
    private let action: @Sendable () -> Void

    init(_ count: Int, then action: @escaping @Sendable () -> Void) {
        left = Mutex(count)
        self.action = action
    }

    func count() {
        let isLast = left.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { action() }
    }
}

/// Does something the first time only.
private final class Once: Sendable {
    private let isDone = Atomic(false)
    private let action: @Sendable () -> Void

    init(_ action: @escaping @Sendable () -> Void) {
        self.action = action
    }

    func run() {
        if !isDone.exchange(true, ordering: .relaxed) { action() }
    }
}

/// The consumers of the current connection, and whether there may be new ones.
private actor ActiveConsumers {
    private(set) var isDraining = false
    private var round = 0
    private var isCancelled = false
    private var consumers: [AMQPConsumer] = []
    /// What must be done before others get their deliveries: gives what is held its place, and tells whether it has it.
    private let handOver: @Sendable () async -> Bool
    /// Has the broker take back what has none.
    private var giveBack: @Sendable () async -> Void = {}

    init(handOver: @escaping @Sendable () async -> Bool) {
        self.handOver = handOver
    }

    /// Names the consumers to come.
    ///
    /// - Parameter giveBack: closes their connection.
    func begin(giveBack: @escaping @Sendable () async -> Void) -> Int {
        round += 1
        isCancelled = false
        self.giveBack = giveBack
        return round
    }

    /// Whether consumers of that round are still wanted.
    func isActive(_ round: Int) -> Bool { round == self.round && !isCancelled && !isDraining }

    func add(_ consumer: AMQPConsumer, _ round: Int) async {
        // It may have come too late for `cancelAll` or `drain`.
        guard isActive(round) else {
            try? await consumer.cancel()
            return
        }
        consumers.append(consumer)
    }

    /// It has ended.
    func remove(_ consumer: AMQPConsumer) {
        consumers.removeAll { $0.consumerTag == consumer.consumerTag }
    }

    func drain() async {
        isDraining = true
        await cancelAll()
    }

    /// What they have been given already is still delivered and acknowledged. Where the store cannot keep its place it goes back, so that
    /// whoever reads on begins with it.
    func cancelAll() async {
        isCancelled = true
        let (cancelled, giveBack) = (consumers, giveBack)
        consumers = []
        if cancelled.isEmpty { return }
        if await !handOver() { return await giveBack() }
        for consumer in cancelled { try? await consumer.cancel() }
        // What has come in the meantime.
        if await !handOver() { await giveBack() }
    }
}

import AMQP
import Core
import ServiceLifecycle
import Synchronization

/// Keeps the command queues subscribed: on every new connection anew, until the service shuts down; then takes no more and
/// sees through what it has. While the bank is unavailable nothing is read, and the queues keep the backlog, but the subscriptions stay
/// (docs/correctness.md#bank-outage). When the store is unavailable it closes its connection, which gives back all that it has, and waits
/// (docs/correctness.md#database-unavailable).
struct CommandSubscription: Sendable {
    /// A command queue; one beyond the partitions is nobody's.
    struct Queue: Sendable {
        let name: String
        let partition: Int?
    }

    let session: AMQPSession
    let queues: [Queue]
    let prefetch: UInt16
    let consumer: CommandConsumer
    let membership: Membership
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
        let readers = CommandReaders()
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await membership.run(onRenewal: readers.review) }
            await withGracefulShutdownHandler {
                await run(readers)
            } onGracefulShutdown: {
                readers.drain()
                // The others take over its queues while it is still at work on what it has read.
                Task { await membership.leave() }
            }
            group.cancelAll()
        }
    }

    private func run(_ readers: CommandReaders) async {
        var pause = Self.pause
        while !readers.isDraining, !Task.isCancelled {
            let started = ContinuousClock.now
            do {
                try await consume(readers)
                pause = Self.pause
            } catch {
                if readers.isDraining || Task.isCancelled { return }
                if consumer.isStoreUnavailable { continue }
                onFailure(error)
                let rest = .now - started > Self.pauseLimit ? Self.pause : pause
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: rest) }
                pause = min(rest * 2, Self.pauseLimit)
            }
        }
    }

    private func consume(_ readers: CommandReaders) async throws {
        try await cancelWhenGracefulShutdown { try await consumer.untilStoreIsAvailable() }
        let connection = try await cancelWhenGracefulShutdown { try await session.connection() }
        readers.begin()
        do {
            try await consume(from: connection, readers)
        } catch {
            readers.stop()
            // What is half subscribed may hold deliveries that nobody reads: closing gives them back.
            await connection.close()
            throw error
        }
    }

    /// Returns when the service shuts down, and what was delivered is done with.
    private func consume(from connection: AMQPConnection, _ readers: CommandReaders) async throws {
        let settled = Countdown(queues.count, then: onSubscribed)
        // A queue that vanishes is waited for, and the others go on; when one ends otherwise, all end: what is wrong with the connection
        // is checked by starting over.
        try await withThrowingTaskGroup(of: Void.self) { group in
            for queue in queues {
                group.addTask {
                    defer { readers.stop() }
                    try await read(queue, from: connection, readers, settled)
                }
            }
            try await group.waitForAll()
        }
    }

    /// Subscribes to a queue again and again, until nothing is to be read any more. Returns when all that was read is done with: also what
    /// was under way when the queue was left to others.
    private func read(
        _ queue: Queue,
        from connection: AMQPConnection,
        _ readers: CommandReaders,
        _ settled: Countdown
    ) async throws(AMQPError) {
        let (once, stale) = (Once { settled.count() }, StaleDeliveries())
        let result: Result<Void, AMQPError> = await withDiscardingTaskGroup { group in
            do throws(AMQPError) {
                try await steady.run(
                    queue.name,
                    on: connection,
                    prefetch: prefetch,
                    while: { readers.areWanted },
                    onMissing: { once.run() },
                    body: { stream throws(AMQPError) in
                        let share = queue.partition.map { PartitionShare(membership, partition: $0) }
                        let reading = CommandReading(share, prefetch: Int(prefetch))
                        group.addTask {
                            let source = BrokerCommandSource(consumer: stream, stale: stale)
                            await consumer.consume(source, reading, giveBack: { await connection.close() })
                        }
                        note(queue, isSubscribed: true)
                        once.run()
                        await readers.stopping(reading)
                        try reading.check(AMQPError.self)
                    }
                )
                note(queue, isSubscribed: false)
                return .success(())
            } catch {
                note(queue, isSubscribed: false)
                return .failure(error)
            }
        }
        try result.get()
    }

    /// The others leave this processor what is its own when they know that it is subscribed.
    private func note(_ queue: Queue, isSubscribed: Bool) {
        if let partition = queue.partition { membership.note(subscribed: partition, isSubscribed) }
    }
}

/// A consumer of a command queue, in the words of Core.
struct BrokerCommandSource: CommandSource {
    let consumer: AMQPConsumer
    let stale: StaleDeliveries

    var isStale: Bool { consumer.hasEnded || stale.mustGoBack(consumer.waiting) }

    var deliveries: AsyncMapSequence<AMQPConsumer, any Delivery> { consumer.map { BrokerDelivery($0) } }

    func stop() { consumer.stop() }

    func close() async { await consumer.close() }
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

/// Decides when deliveries that wait unread, because the bank is unavailable, go back to the broker: when one of them has expired, which
/// only the broker can act on, and before the broker's own limit on acknowledgements (`consumer_timeout`, 30 minutes by default).
///
/// The broker counts each return towards the delivery limit of everything that goes back with it. So it happens ever more rarely.
final class StaleDeliveries: Sendable {
    private struct State {
        var wentBack: ContinuousClock.Instant?
        var pause = StaleDeliveries.pause
    }

    private let state = Mutex(State())

    private static let pause = Duration.seconds(2)
    private static let longest = Duration.seconds(600)

    /// - Parameter waiting: since when the oldest waits, and when the first of them has expired.
    func mustGoBack(
        _ waiting: (since: ContinuousClock.Instant, expiry: ContinuousClock.Instant?)?,
        at now: ContinuousClock.Instant = .now
    ) -> Bool {
        guard let waiting else { return false }
        return state.withLock { state in
            if now - waiting.since < Self.longest {
                guard let expiry = waiting.expiry, expiry <= now else { return false }
                if let last = state.wentBack, now - last < state.pause { return false }
            }
            let isFirst = state.wentBack.map { now - $0 > Self.longest * 2 } ?? true
            state.pause = isFirst ? Self.pause : min(state.pause * 2, Self.longest)
            state.wentBack = now
            return true
        }
    }
}

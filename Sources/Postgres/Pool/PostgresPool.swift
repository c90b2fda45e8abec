import Synchronization

/// A fixed number of connections, lent one at a time, first come, first served.
///
/// `run()` keeps them open: it makes them at first, and a new one for each that is lost, with a jittered backoff while
/// the server is down. Nothing is lent unless it runs. Work that must not wait for other work (claims, results,
/// queries) has a pool of its own.
package final class PostgresPool: Sendable {
    typealias Lease = PoolTracker.Lease

    package let size: Int
    let configuration: PostgresConfiguration
    let waitTimeout: Duration
    let tracker = Mutex(PoolTracker())
    private let onStateChange: @Sendable (PostgresPoolState) -> Void
    private let reported = Mutex(PostgresPoolState.starting)

    /// One element for each connection that is missing; true when the last one did not live long.
    let openings = AsyncStream<Bool>.makeStream()
    /// An element when somebody waits and nobody did before.
    let waits = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))

    /// - Parameters:
    ///   - configuration: of every connection.
    ///   - size: the number of connections, at least 1.
    ///   - waitTimeout: how long a borrower waits for a connection. After that it is told `connectFailed` when there is
    ///     none at all, else `waitTimedOut`.
    ///   - onStateChange: told of each change, in order. It must not block, nor use the pool but for `state`.
    package init(
        _ configuration: PostgresConfiguration,
        size: Int,
        waitTimeout: Duration = .seconds(10),
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.size = max(size, 1)
        self.waitTimeout = waitTimeout
        self.onStateChange = onStateChange
        for _ in 0..<self.size { openings.continuation.yield(false) }
    }

    package var state: PostgresPoolState { tracker.withLock { $0.state } }

    /// How many borrowers are waiting for a connection.
    package var waiting: Int { tracker.withLock { $0.waiting } }

    /// Lends a connection for several statements that nobody's shall come between.
    ///
    /// Cancelling the task ends the wait, or cancels the statement under way.
    ///
    /// - Throws: what `body` throws; `connectFailed`, `waitTimedOut`, `cancelled` or `closed` before it was called.
    package func withConnection<Value: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let deadline = ContinuousClock.now + waitTimeout
        while true {
            let lease = try await borrow(until: deadline)
            let value = try await lease.connection.run { connection throws(PostgresError) -> Value? in
                // Given back on the connection's own thread: the next borrower need not wait for this task to go on.
                defer { self.giveBack(lease, connection) }
                // A server that hung up in the meantime has not seen any of it: another connection will do.
                guard connection.checkAlive() else { return nil }
                return try body(connection)
            }
            if let value { return value }
        }
    }

    /// Runs a transaction on one of the connections; see `PostgresConnection.transaction`.
    package func transaction<Value: Sendable>(
        _ mode: PostgresTransactionMode = .readCommitted,
        _ body: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        try await withConnection { connection throws(PostgresError) -> Value in
            try connection.transaction(mode, body)
        }
    }

    /// Runs one statement on one of the connections.
    package func execute(
        _ sql: String,
        _ parameters: [PostgresValue] = []
    ) async throws(PostgresError) -> PostgresResult {
        try await withConnection { connection throws(PostgresError) -> PostgresResult in
            try connection.execute(sql, parameters)
        }
    }

    /// Refuses new borrowers and those waiting, lets the others finish, and returns when all connections are closed.
    package func close() async {
        let (waiters, idle) = tracker.withLock { $0.close() }
        openings.continuation.finish()
        waits.continuation.finish()
        for waiter in waiters { waiter.continuation.resume(returning: .failure(PostgresError(.closed))) }
        for lease in idle { await lease.connection.close() }
        await withCheckedContinuation { continuation in
            let drained = tracker.withLock { tracker in
                tracker.awaitDrain(continuation)
                return tracker.takeDrainers()
            }
            for drainer in drained { drainer.resume() }
        }
        reportState()
    }

    /// Tells the observer where the state is not what it was told last.
    func reportState() {
        reported.withLock { reported in
            let state = state
            guard state != reported else { return }
            reported = state
            onStateChange(state)
        }
    }
}

/// Whether the pool can serve, for `/readyz` and the log.
package enum PostgresPoolState: Sendable, Hashable {
    /// No connection has been made or has failed yet.
    case starting
    /// At least one connection is open.
    case up
    /// None is open; with the last failure.
    case down(PostgresError)
    case closed
}

extension PostgresPool {
    func borrow(until deadline: ContinuousClock.Instant) async throws(PostgresError) -> Lease {
        let (lease, id) = tracker.withLock { tracker in (tracker.borrow(), tracker.makeID()) }
        if let lease { return lease }
        let result = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                wait(PoolTracker.Waiter(id: id, deadline: deadline, continuation: continuation))
            }
        } onCancel: {
            let waiter = tracker.withLock { $0.remove(waiter: id) }
            waiter?.continuation.resume(returning: .failure(PostgresError(.cancelled)))
        }
        return try result.get()
    }

    private func wait(_ waiter: PoolTracker.Waiter) {
        let (answer, isFirst) = tracker.withLock { tracker -> (Result<Lease, PostgresError>?, Bool) in
            if tracker.isClosed { return (.failure(PostgresError(.closed)), false) }
            // The handler has run already, and found no waiter to remove.
            if Task.isCancelled { return (.failure(PostgresError(.cancelled)), false) }
            if let lease = tracker.borrow() { return (.success(lease), false) }
            tracker.enqueue(waiter)
            return (nil, tracker.waiting == 1)
        }
        if let answer { waiter.continuation.resume(returning: answer) }
        if isFirst { waits.continuation.yield() }
    }

    /// Takes a connection back, on its thread: hands it on, keeps it, or closes it.
    func giveBack(_ lease: Lease, _ connection: isolated PostgresConnection) {
        let (waiter, isClosed, drained) = tracker.withLock { tracker in
            (tracker.giveBack(lease), tracker.isClosed, tracker.takeDrainers())
        }
        waiter?.continuation.resume(returning: .success(lease))
        if isClosed { connection.close() }
        for drainer in drained { drainer.resume() }
    }

    /// Tells those that have waited long enough.
    func expireWaiters() async {
        for await _ in waits.stream {
            while let deadline = tracker.withLock({ $0.nextDeadline }) {
                guard (try? await Task.sleep(until: deadline, clock: .continuous)) != nil else { return }
                let (expired, state) = tracker.withLock { tracker in
                    (tracker.takeExpired(at: .now), tracker.state)
                }
                let failure = Self.failure(inState: state)
                for waiter in expired { waiter.continuation.resume(returning: .failure(failure)) }
            }
        }
    }

    private static func failure(inState state: PostgresPoolState) -> PostgresError {
        guard case .down(let cause) = state else { return PostgresError(.waitTimedOut) }
        var error = PostgresError(.connectFailed, reason: cause.reason, sqlState: cause.sqlState)
        error.server = cause.server
        return error
    }
}

extension PostgresPool {
    /// Lost sooner than this after it was opened, a connection is not replaced at once.
    private static let shortLife = Duration.seconds(1)

    /// Keeps the connections open until the pool is closed or the task cancelled, which closes it. To be called once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            group.addTask { await self.expireWaiters() }
            for await afterShortLife in openings.stream {
                group.addTask { await self.openConnection(afterShortLife: afterShortLife) }
            }
            group.cancelAll()
        }
        await close()
    }

    /// Tries until there is one more connection.
    private func openConnection(afterShortLife: Bool) async {
        var backoff = Backoff()
        var mustWait = afterShortLife
        while !Task.isCancelled {
            if mustWait { try? await Task.sleep(for: backoff.step()) }
            mustWait = true
            let slot = tracker.withLock { $0.makeID() }
            do throws(PostgresError) {
                let connection = try await PostgresConnection.connect(configuration) { [weak self] error in
                    self?.lost(slot, error)
                }
                if await admit(Lease(slot: slot, connection: connection)) { return }
            } catch  where error.code == .cancelled {
                return
            } catch {
                tracker.withLock { $0.noteFailure(error) }
                reportState()
            }
        }
    }

    private func admit(_ lease: Lease) async -> Bool {
        let (isAdded, waiter) = tracker.withLock { $0.add(lease, at: .now) }
        waiter?.continuation.resume(returning: .success(lease))
        if !isAdded { await lease.connection.close() }
        reportState()
        return isAdded
    }

    private func lost(_ slot: UInt64, _ error: PostgresError) {
        guard let age = tracker.withLock({ $0.lose(slot: slot, error, at: .now) }) else { return }
        reportState()
        openings.continuation.yield(age < Self.shortLife)
    }
}

/// Waits between attempts to connect: doubling, capped, and spread over half their length, so that the connections of
/// many processes do not return in step.
struct Backoff {
    private let cap: Duration
    private var next: Duration

    init(first: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        self.cap = cap
        next = first
    }

    /// The length of the next wait; `random` is uniform in 0..<1.
    mutating func step(random: Double = .random(in: 0..<1)) -> Duration {
        let full = min(next, cap)
        next = min(next * 2, cap)
        return full / 2 + full / 2 * random
    }
}

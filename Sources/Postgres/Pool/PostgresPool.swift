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

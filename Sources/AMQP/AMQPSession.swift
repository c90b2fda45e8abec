import Synchronization
package import ThreadExecutor

/// Keeps a connection to the broker alive: makes it, and makes a new one when it has ended, until `run()` is cancelled.
package actor AMQPSession {
    private enum State {
        case waiting
        case connected(AMQPConnection)
        case stopped
    }

    private typealias Waiter = CheckedContinuation<Result<AMQPConnection, AMQPError>, Never>

    private let configuration: AMQPConfiguration
    private let loop: EventLoop?
    private let backoff: AMQPBackoff
    private let observer: @Sendable (AMQPSessionEvent) -> Void
    private var state = State.waiting {
        didSet {
            let connection: AMQPConnection? = if case .connected(let connection) = state { connection } else { nil }
            current.withLock { $0 = connection }
        }
    }
    /// The connection of `state`, for callers who need not come in.
    private nonisolated let current = Mutex<AMQPConnection?>(nil)
    private var waiters: [UInt64: Waiter] = [:]
    private var lastWaiter: UInt64 = 0

    /// - Parameters:
    ///   - configuration: of every connection.
    ///   - loop: as of `AMQPConnection.connect`.
    ///   - backoff: the pauses between attempts.
    ///   - observer: called on a connection's thread or on the session's executor; must not block.
    package init(
        _ configuration: AMQPConfiguration,
        on loop: EventLoop? = nil,
        backoff: AMQPBackoff = AMQPBackoff(),
        observer: @escaping @Sendable (AMQPSessionEvent) -> Void = { _ in }
    ) {
        self.configuration = configuration
        self.loop = loop
        self.backoff = backoff
        self.observer = observer
    }

    /// Whether there is a connection now. It may be found dead the next moment.
    package var isConnected: Bool { usableConnection != nil }

    /// Keeps the session going until the task is cancelled; then closes the connection in good order and returns. Run it
    /// once.
    package func run() async {
        var attempt = 0
        var configuration = configuration
        while !Task.isCancelled {
            let ending: AMQPError
            do {
                let connection = try await connect(configuration)
                attempt = 0
                ending = await keep(connection).at(connection.address)
                // The node that has just failed comes last.
                configuration = configuration.startingAfter(connection.address)
            } catch {
                ending = error
            }
            state = .waiting
            observer(.disconnected(ending))
            let delay = backoff.delay(attempt: attempt, jitter: .random(in: 0...1))
            attempt += 1
            // Ended early only by cancellation, which the loop looks at.
            try? await Task.sleep(for: delay)
        }
        state = .stopped
        for id in Array(waiters.keys) { answer(id, .failure(AMQPError(.closed))) }
    }

    /// The current connection; waits for the next one while there is none. After a failure ask again: a connection that
    /// has ended is not handed out.
    ///
    /// - Parameter timeout: nil to wait as long as the session runs.
    /// - Returns: a connection that was usable a moment ago.
    /// - Throws: `timeout`, `cancelled`, or `closed` when the session has stopped.
    package nonisolated(nonsending) func connection(
        timeout: Duration? = nil
    ) async throws(AMQPError) -> AMQPConnection {
        if let connection = current.withLock({ $0 }), connection.isUsable { return connection }
        return try await nextConnection(timeout)
    }

    private func nextConnection(_ timeout: Duration?) async throws(AMQPError) -> AMQPConnection {
        if let usableConnection { return usableConnection }
        if case .stopped = state { throw AMQPError(.closed) }
        lastWaiter += 1
        let id = lastWaiter
        let timer = timeout.map { timeout in
            Task { [weak self] in
                try await Task.sleep(for: timeout)
                await self?.answer(id, .failure(AMQPError(.timeout)))
            }
        }
        defer { timer?.cancel() }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                waiters[id] = continuation
                if Task.isCancelled { self.answer(id, .failure(AMQPError(.cancelled))) }
            }
        } onCancel: {
            Task { await self.answer(id, .failure(AMQPError(.cancelled))) }
        }
        return try answer.get()
    }

    private var usableConnection: AMQPConnection? {
        guard case .connected(let connection) = state, connection.isUsable else { return nil }
        return connection
    }

    private func connect(_ configuration: AMQPConfiguration) async throws(AMQPError) -> AMQPConnection {
        try await AMQPConnection.connect(configuration, on: loop) { [observer] event in
            switch event {
            case .blocked(let reason): observer(.blocked(reason: reason))
            case .unblocked: observer(.unblocked)
            case .closed: break  // Told by `run()`, in order with the rest.
            }
        }
    }

    /// Hands the connection out until it ends, or until the task is cancelled, which closes it.
    private func keep(_ connection: AMQPConnection) async -> AMQPError {
        state = .connected(connection)
        observer(.connected)
        for id in Array(waiters.keys) { answer(id, .success(connection)) }
        return await withTaskCancellationHandler {
            await connection.untilClosed()
        } onCancel: {
            Task { await connection.close() }
        }
    }

    private func answer(_ id: UInt64, _ answer: Result<AMQPConnection, AMQPError>) {
        waiters.removeValue(forKey: id)?.resume(returning: answer)
    }
}

/// What an observer of a session hears.
package enum AMQPSessionEvent: Sendable, Equatable {
    case connected
    /// An attempt failed, or the connection ended. Another attempt follows unless the session is stopping.
    case disconnected(AMQPError)
    /// The broker takes no messages for now; the reason is the broker's.
    case blocked(reason: String)
    case unblocked
}

/// How long to wait between attempts to connect: doubling from `initial` to `maximum`, each time with a random part of up to
/// half taken off, so that processes cut off together do not come back together. An attempt costs a broker that is not there nothing,
/// so the pauses stay short: whoever waits for the broker goes on soon after it is back.
package struct AMQPBackoff: Sendable, Equatable {
    package var initial: Duration
    package var maximum: Duration

    package init(initial: Duration = .milliseconds(250), maximum: Duration = .seconds(1)) {
        self.initial = initial
        self.maximum = maximum
    }

    /// - Parameters:
    ///   - attempt: 0 for the first wait.
    ///   - jitter: from 0 to 1, what of the half is taken off.
    /// - Returns: the pause before the next attempt.
    func delay(attempt: Int, jitter: Double) -> Duration {
        // Beyond that many doublings every sensible maximum is reached.
        let doubled = initial * (1 << min(max(attempt, 0), 20))
        return min(doubled, maximum) * (1 - jitter / 2)
    }
}

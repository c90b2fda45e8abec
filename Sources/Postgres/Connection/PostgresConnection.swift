import Synchronization
import ThreadExecutor

/// One session with the server, on a thread of its own.
///
/// Statements are synchronous: they block the connection's thread and nothing else, and nobody's statement gets between
/// two of a transaction. Use it from outside by `run`, which cancels the statement with the caller's task.
///
/// After a failure that leaves the state unknown the session is ended at once (`isUsable` is false) and every later
/// call throws `connectionLost`; a new one is made by `connect`, or by the pool.
package actor PostgresConnection {
    /// Where it stands between BEGIN and COMMIT.
    enum TransactionState: Equatable {
        case none
        /// Asked for; BEGIN goes out with the first statement.
        case pending(begin: String)
        case open
    }

    let configuration: PostgresConfiguration
    private let executor: ThreadExecutor
    nonisolated let signal: CancelSignal
    private nonisolated let status: ConnectionStatus

    private(set) var link: Link?
    /// Why there is no link any more.
    private var end = PostgresError(.closed)
    var statements: StatementCache
    var transactionState = TransactionState.none
    /// Whose statements are being run.
    private(set) var scope: CancelScope?

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(
        configuration: PostgresConfiguration,
        executor: ThreadExecutor,
        onLoss: @escaping @Sendable (PostgresError) -> Void
    ) throws(PostgresError) {
        self.configuration = configuration
        self.executor = executor
        signal = try CancelSignal()
        status = ConnectionStatus(onLoss: onLoss)
        statements = StatementCache(capacity: configuration.statementCacheSize)
    }

    isolated deinit {
        executor.setTurnHook(nil)
        link = nil
    }

    /// Opens a session with the first host that takes one.
    ///
    /// - Parameters:
    ///   - configuration: where, and how the session behaves.
    ///   - onLoss: told once if the session ends other than by `close`, idle ones included. It is called on the
    ///     connection's thread.
    /// - Returns: the open connection.
    /// - Throws: `connectFailed`, `cancelled` with the caller's task.
    package static func connect(
        _ configuration: PostgresConfiguration,
        onLoss: @escaping @Sendable (PostgresError) -> Void = { _ in }
    ) async throws(PostgresError) -> PostgresConnection {
        let executor: ThreadExecutor
        do {
            executor = try ThreadExecutor(name: configuration.applicationName)
        } catch {
            throw PostgresError(.connectFailed, reason: "out of threads or descriptors")
        }
        let connection = try PostgresConnection(configuration: configuration, executor: executor, onLoss: onLoss)
        try await connection.run { connection throws(PostgresError) in try connection.open() }
        return connection
    }

    /// False once the session has ended.
    package nonisolated var isUsable: Bool { status.isUsable }

    /// What stands between it and the server.
    package var pooling: PostgresPooling { link?.pooling ?? .none }

    /// The server's process, as `pg_backend_pid()`; `nil` once the session has ended.
    package var backendProcess: Int32? { link?.backendProcess }

    /// Runs several statements without anybody else's in between. It is no transaction.
    ///
    /// When the caller's task is cancelled, the statement under way is cancelled (a COMMIT is not), and no further one
    /// is begun: both throw `cancelled`.
    package nonisolated func run<Value: Sendable>(
        _ body: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(PostgresError) -> Value {
        let scope = CancelScope(signal: signal)
        let result = await withTaskCancellationHandler {
            await perform(body, in: scope)
        } onCancel: {
            scope.request()
        }
        return try result.get()
    }

    /// Cancels the statement under way, if there is one; a COMMIT is not cancelled. Callable from any thread; returns
    /// at once.
    package nonisolated func cancel() {
        signal.ask()
    }

    /// Ends the session. Statements that are waiting to be run throw `closed`.
    package func close() {
        status.close()
        drop(PostgresError(.closed))
    }

    /// Ends the session as if the server had: its pool opens another one.
    ///
    /// - Parameter reason: why it is of no use.
    package func abandon(_ reason: String) {
        lose(PostgresError(.connectionLost, reason: reason))
    }

    private func perform<Value>(
        _ body: (isolated PostgresConnection) throws(PostgresError) -> Value,
        in scope: CancelScope
    ) -> Result<Value, PostgresError> {
        self.scope = scope
        defer { self.scope = nil }
        do throws(PostgresError) {
            return .success(try body(self))
        } catch {
            return .failure(error)
        }
    }

    private func open() throws(PostgresError) {
        do throws(PostgresError) {
            let link = try LinkOpener(configuration: configuration, signal: signal, scope: scope).open()
            self.link = link
            watchWhileIdle(link.socket)
        } catch {
            // Nobody has been given this connection yet: there is nothing to lose.
            status.close()
            throw error
        }
    }

    /// Notices a server that hangs up while nothing is asked of it.
    private func watchWhileIdle(_ socket: Int32) {
        executor.setTurnHook { [weak self] isDue in
            guard let self, self.assumeIsolated({ !isDue || $0.checkAlive() }) else { return .forever }
            return TurnWait(descriptor: socket)
        }
    }

    /// Looks, without waiting, whether the server has hung up. Not for the middle of a transaction.
    func checkAlive() -> Bool {
        guard let link else { return false }
        if link.isAlive() { return true }
        lose(PostgresError(.connectionLost, reason: "the server hung up", sqlState: link.farewell))
        return false
    }

    /// The link, when a statement may be begun on it.
    ///
    /// - Throws: `cancelled`, `closed`, or `connectionLost`; nothing has been sent then.
    func readyLink() throws(PostgresError) -> Link {
        guard let link, transactionState == .open || checkAlive() else { throw end }
        if scope?.isRequested ?? false { throw PostgresError(.cancelled) }
        return link
    }

    /// Throws the session away. Later calls are told so, whatever the reason was called when it was met.
    func lose(_ error: PostgresError) {
        let loss = PostgresError(
            .connectionLost,
            reason: error.reason,
            sqlState: error.sqlState,
            severity: error.severity
        )
        drop(loss)
        status.lose(loss)
    }

    private func drop(_ error: PostgresError) {
        guard link != nil else { return }
        // Before the socket is closed, lest the watch look at another one of the same number.
        executor.setTurnHook(nil)
        link = nil
        end = error
        statements = StatementCache(capacity: configuration.statementCacheSize)
    }
}

/// What others may know of a connection without being on its thread.
final class ConnectionStatus: Sendable {
    private let isOpen = Atomic<Bool>(true)
    private let onLoss: @Sendable (PostgresError) -> Void

    init(onLoss: @escaping @Sendable (PostgresError) -> Void) {
        self.onLoss = onLoss
    }

    var isUsable: Bool { isOpen.load(ordering: .acquiring) }

    /// Tells the owner, the first time only, and never after `close`.
    func lose(_ error: PostgresError) {
        if isOpen.exchange(false, ordering: .acquiringAndReleasing) { onLoss(error) }
    }

    func close() {
        isOpen.store(false, ordering: .releasing)
    }
}

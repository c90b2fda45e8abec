import CPostgres
import Glibc

/// One `PGconn`: the only place where libpq is called on it. Its owner is one `PostgresConnection`, on whose thread all
/// of this runs.
///
/// It speaks libpq's pipeline mode: statements are queued with `send…`, and `synchronize` sends one Sync behind them
/// and takes every answer up to the server's answer to the Sync. There is no other way to read, so that a link is
/// either drained or lost, and a lost one is thrown away.
final class Link {
    let handle: OpaquePointer
    let signal: CancelSignal
    private let notices: NoticeReceiver
    /// The one of the connection string that it leads to; `nil` where libpq has chosen.
    let server: ConnectionString.Host?
    let silences: ServerSilences
    /// When something was last read from the server.
    var lastHeard = ContinuousClock.now
    /// What stands between us and the server; known once the session is set up.
    var pooling = PostgresPooling.none
    /// What each transaction begins with where session settings do not last, as one statement.
    var transactionSettings: String?

    /// What has been queued since the last Sync, in order.
    private(set) var steps: [Step] = []
    private var parameters = ParameterBuffer()

    /// Takes over an open connection.
    init(
        handle: OpaquePointer,
        server: ConnectionString.Host?,
        silences: ServerSilences,
        signal: CancelSignal,
        notices: NoticeReceiver
    ) throws(PostgresError) {
        self.handle = handle
        self.server = server
        self.silences = silences
        self.signal = signal
        self.notices = notices
        guard PQsetnonblocking(handle, 1) == 0, PQenterPipelineMode(handle) == 1 else {
            throw PostgresError(.connectFailed, reason: "cannot enter pipeline mode")
        }
    }

    deinit {
        PQfinish(handle)
    }

    var socket: Int32 { PQsocket(handle) }

    /// The server's process, as `pg_backend_pid()`.
    var backendProcess: Int32 { PQbackendPID(handle) }

    var isIdle: Bool { PQtransactionStatus(handle) == PQTRANS_IDLE }

    var isInTransaction: Bool {
        let status = PQtransactionStatus(handle)
        return status == PQTRANS_INTRANS || status == PQTRANS_INERROR
    }

    /// What the server said when it hung up unasked.
    var farewell: SQLState? { notices.farewell }

    /// The server has left a request of another connection without an answer since it was last heard here.
    var isSilent: Bool { silences.isSilent(server, since: lastHeard) }

    /// Looks, without waiting, whether the other side has hung up. For a link that waits for no answer.
    func isAlive() -> Bool {
        while true {
            var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
            let count = poll(&descriptor, 1, 0)
            guard count != 0 else { break }
            if count < 0, errno == EINTR { continue }
            guard count > 0, PQconsumeInput(handle) == 1 else { return false }
            // Lets libpq take in notices and parameter changes.
            _ = PQisBusy(handle)
        }
        return PQstatus(handle) == CONNECTION_OK && farewell == nil && !isSilent
    }

    /// Queues a statement without parameters that is not worth preparing, such as BEGIN.
    func send(_ sql: String, as step: Step) throws(PostgresError) {
        let sent = PQsendQueryParams(handle, sql, 0, nil, nil, nil, nil, 1)
        try queued(sent, step)
    }

    func sendPrepare(_ statement: PreparedStatement) throws(PostgresError) {
        let sent = statement.types.withUnsafeBufferPointer { types in
            PQsendPrepare(handle, statement.name, statement.sql, Int32(types.count), types.baseAddress)
        }
        try queued(sent, .preparation(statement))
    }

    /// Encodes the parameters of the next `sendPrepared`. Nothing is queued when this throws.
    func encode(_ values: [PostgresValue]) throws(PostgresError) {
        try parameters.encode(values)
    }

    /// Queues a prepared statement with the parameters encoded last.
    func sendPrepared(_ statement: PreparedStatement, wantsRows: Bool) throws(PostgresError) {
        let sent = parameters.withPointers { count, values, lengths, formats in
            PQsendQueryPrepared(handle, statement.name, count, values, lengths, formats, 1)
        }
        try queued(sent, wantsRows ? .rows(statement) : .effect(statement))
    }

    /// Queues a statement with the parameters encoded last, without a name: nothing of it stays at the server.
    func sendUnnamed(_ statement: PreparedStatement, wantsRows: Bool) throws(PostgresError) {
        let sent = parameters.withPointers { count, values, lengths, formats in
            statement.types.withUnsafeBufferPointer { types in
                PQsendQueryParams(handle, statement.sql, count, types.baseAddress, values, lengths, formats, 1)
            }
        }
        try queued(sent, wantsRows ? .rows(statement) : .effect(statement))
    }

    /// Hands over what has been queued; the caller sends the Sync.
    func takeSteps() -> [Step] {
        defer { steps.removeAll(keepingCapacity: true) }
        return steps
    }

    private func queued(_ sent: Int32, _ step: Step) throws(PostgresError) {
        guard sent == 1 else {
            throw PostgresError(.connectionLost, reason: "cannot send", sqlState: farewell)
        }
        steps.append(step)
    }
}

/// Takes the place of libpq's printing of notices to stderr.
final class NoticeReceiver {
    private let observer: (@Sendable (PostgresNotice) -> Void)?
    /// What the server said when it ended the session while nothing was being asked of it.
    private(set) var farewell: SQLState?

    init(observer: (@Sendable (PostgresNotice) -> Void)?) {
        self.observer = observer
    }

    /// The receiver must outlive the connection.
    func install(on handle: OpaquePointer) {
        PQsetNoticeReceiver(
            handle,
            { context, result in
                guard let context, let result else { return }
                Unmanaged<NoticeReceiver>.fromOpaque(context).takeUnretainedValue().receive(result)
            },
            Unmanaged.passUnretained(self).toOpaque()
        )
    }

    private func receive(_ result: OpaquePointer) {
        let severity = ResultReader.field(result, .severity) ?? ""
        let state = ResultReader.field(result, .sqlState).flatMap { SQLState($0) }
        if PostgresError.Severity(rawValue: severity) != nil { farewell = state }
        observer?(PostgresNotice(severity: severity, sqlState: state))
    }
}

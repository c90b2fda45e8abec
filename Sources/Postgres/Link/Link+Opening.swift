import CPostgres
import Glibc
import TLSProbe

extension Link {
    /// Makes one attempt at one host.
    ///
    /// libpq's own walk through several hosts gives each its timeout in the blocking call only, and the blocking call
    /// does not tell the SQLSTATE of a refusal; hence the walk is `LinkOpener`'s, and this is one step of it.
    static func open(
        parameters: [(keyword: String, value: String)],
        server: ConnectionString.Host?,
        silences: ServerSilences,
        deadline: ContinuousClock.Instant?,
        signal: CancelSignal,
        scope: CancelScope?,
        notices: NoticeReceiver
    ) throws(PostgresError) -> Link {
        guard let handle = start(parameters) else {
            throw PostgresError(.connectFailed, reason: "out of memory")
        }
        do throws(PostgresError) {
            // With this, the error message of a refusal is its SQLSTATE.
            PQsetErrorVerbosity(handle, PQERRORS_SQLSTATE)
            notices.install(on: handle)
            try complete(handle, deadline: deadline, wait: SocketWait(signal: signal), scope: scope)
        } catch {
            PQfinish(handle)
            throw error
        }
        return try Link(handle: handle, server: server, silences: silences, signal: signal, notices: notices)
    }

    private static func start(_ parameters: [(keyword: String, value: String)]) -> OpaquePointer? {
        var keywords: [UnsafePointer<CChar>?] = []
        var values: [UnsafePointer<CChar>?] = []
        for (keyword, value) in parameters {
            keywords.append(UnsafePointer(strdup(keyword)))
            values.append(UnsafePointer(strdup(value)))
        }
        defer {
            for pointer in keywords + values { free(UnsafeMutableRawPointer(mutating: pointer)) }
        }
        return PQconnectStartParams(keywords + [nil], values + [nil], 0)
    }

    private static func complete(
        _ handle: OpaquePointer,
        deadline: ContinuousClock.Instant?,
        wait: SocketWait,
        scope: CancelScope?
    ) throws(PostgresError) {
        guard PQstatus(handle) != CONNECTION_BAD else { throw refusal(handle) }
        var state = PGRES_POLLING_WRITING
        while true {
            switch state {
            case PGRES_POLLING_OK: return
            case PGRES_POLLING_FAILED: throw refusal(handle)
            default: break
            }
            let events = state == PGRES_POLLING_READING ? POLLIN : POLLOUT
            switch wait.wait(socket: PQsocket(handle), events: Int16(events), until: deadline) {
            case .signalled:
                if scope?.isRequested ?? false { throw PostgresError(.cancelled) }
            case .timedOut:
                throw PostgresError(.connectFailed, reason: "no answer within the connect timeout")
            case .ready:
                state = PQconnectPoll(handle)
            }
        }
    }

    /// The reason in fixed words: libpq's message holds hosts and user names, and more in odd cases.
    private static func refusal(_ handle: OpaquePointer) -> PostgresError {
        let error = refusalInGeneral(handle)
        // 28000: also where a client certificate is wanted. What is refused with another state has come through TLS.
        guard error.sqlState == nil || error.sqlState?.code == "28000", error.reason.map(Self.mayBeTLS) ?? true,
            let probe = TLSProbe(handle)
        else { return error }
        if let fault = probe.fault() { return PostgresError(.connectFailed, reason: fault.description) }
        guard error.sqlState != nil, probe.certFile == nil else { return error }
        let reason = "it wants a client certificate, or has no entry for this user in pg_hba.conf"
        return PostgresError(.connectFailed, reason: reason, sqlState: error.sqlState)
    }

    private static func mayBeTLS(_ reason: String) -> Bool {
        ["the server hung up", "the server's certificate is not accepted", "no agreement on TLS"].contains(reason)
    }

    private static func refusalInGeneral(_ handle: OpaquePointer) -> PostgresError {
        let message = PQerrorMessage(handle).map { String(cString: $0) } ?? ""
        let reasons = [
            ("Connection refused", "connection refused"),
            ("could not translate host name", "the host name cannot be resolved"),
            ("No such file or directory", "no such socket or file"),
            ("timeout expired", "no answer in time"),
            ("timed out", "no answer in time"),
            ("unreachable", "the host cannot be reached"),
            ("no password supplied", "a password is required"),
            ("server closed the connection", "the server hung up"),
            ("session is read-only", "the server is read-only"),
            ("session is not read-only", "the server is not read-only"),
            ("server is in hot standby mode", "the server is a standby"),
            ("server is not in hot standby mode", "the server is not a standby"),
            ("certificate", "the server's certificate is not accepted"),
            ("SSL", "no agreement on TLS"),
        ]
        return PostgresError(
            .connectFailed,
            reason: reasons.first { message.contains($0.0) }?.1,
            sqlState: sqlState(in: message)
        )
    }

    /// From a line that ends in `FATAL:  28P01`.
    private static func sqlState(in message: String) -> SQLState? {
        for line in message.split(separator: "\n") {
            let rest = line.dropLast(5)
            guard rest.hasSuffix("FATAL:  ") || rest.hasSuffix("ERROR:  ") else { continue }
            if let state = SQLState(line.suffix(5)) { return state }
        }
        return nil
    }
}

extension TLSProbe {
    /// Of the connection that failed. `nil` where it does not insist on TLS.
    fileprivate init?(_ handle: OpaquePointer) {
        guard let list = PQconninfo(handle) else { return nil }
        defer { PQconninfoFree(list) }
        var values: [String: String] = [:]
        var option = list
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val, value.pointee != 0 {
                values[String(cString: keyword)] = String(cString: value)
            }
            option += 1
        }
        guard let mode = values["sslmode"], ["require", "verify-ca", "verify-full"].contains(mode),
            let host = values["host"] ?? values["hostaddr"], !host.hasPrefix("/")
        else { return nil }
        let home = getenv("HOME").map { "\(String(cString: $0))/.postgresql/" } ?? ""
        func file(_ keyword: String, _ usual: String) -> String? {
            values[keyword] ?? (access(home + usual, R_OK) == 0 ? home + usual : nil)
        }
        self.init(
            host: host,
            address: values["hostaddr"],
            port: values["port"].flatMap { Int($0) } ?? 5_432,
            caFile: file("sslrootcert", "root.crt").flatMap { $0 == "system" ? nil : $0 },
            certFile: file("sslcert", "postgresql.crt"),
            keyFile: file("sslkey", "postgresql.key"),
            greeting: .postgres
        )
    }
}

/// What is said and asked first in a new session: its settings, and whether it leads to the server itself.
///
/// Settings are made by `set_config`, not as startup options, which a connection pooler refuses or drops. Where there is one
/// (the server's process is not the one that the greeting named), no session of ours may last longer than a transaction: then
/// every transaction begins with the settings, and statements are kept prepared only where the pooler keeps count of them.
struct SessionSetup {
    let settings: [(name: String, value: String)]
    let deadline: ContinuousClock.Instant?
    let scope: CancelScope?

    /// - Throws: `connectFailed`, `cancelled`.
    func run(on link: Link) throws(PostgresError) {
        // Behind a pooler for this transaction only: another client may have the server's session next.
        let isLocal = "pg_backend_pid() <> \(link.backendProcess)"
        let answer = try execute("SELECT pg_backend_pid(), \(assignments(isLocal))", on: link)
        guard try answer.single().int32(0) != link.backendProcess else { return }
        link.transactionSettings = "SELECT \(assignments("true"))"
        link.pooling = try keepsPrepared(on: link) ? .keepsPrepared : .forgetsPrepared
    }

    private func assignments(_ isLocal: String) -> String {
        settings.map { "set_config(\(Self.quoted($0.name)), \(Self.quoted($0.value)), \(isLocal))" }
            .joined(separator: ", ")
    }

    /// A pooler that keeps count of prepared statements gives them names of its own at the server.
    private func keepsPrepared(on link: Link) throws(PostgresError) -> Bool {
        let probe = PreparedStatement(
            name: "payment_processor_probe",
            sql: "SELECT count(*) FROM pg_prepared_statements WHERE name = 'payment_processor_probe'",
            types: []
        )
        try link.encode([])
        try link.sendPrepare(probe)
        try link.sendPrepared(probe, wantsRows: true)
        let exchange = link.synchronize(deadline: deadline, scope: scope, isCancellable: true)
        if let loss = exchange.loss { throw Self.failure(loss) }
        // Where it is there already, another session of ours has left it at the same server.
        guard case .rows(let rows)? = exchange.outcomes.last else { return false }
        return try rows.single().int64(0) == 0
    }

    private func execute(_ sql: String, on link: Link) throws(PostgresError) -> PostgresResult {
        try link.encode([])
        try link.sendUnnamed(PreparedStatement(name: "", sql: sql, types: []), wantsRows: true)
        let exchange = link.synchronize(deadline: deadline, scope: scope, isCancellable: true)
        if let loss = exchange.loss { throw Self.failure(loss) }
        switch exchange.outcomes.last {
        case .rows(let rows): return rows
        case .failed(let error): throw Self.failure(error)
        default: throw PostgresError(.connectFailed, reason: "the session cannot be set up")
        }
    }

    private static func failure(_ error: PostgresError) -> PostgresError {
        PostgresError(
            .connectFailed,
            reason: error.reason ?? "the session cannot be set up",
            sqlState: error.sqlState,
            severity: error.severity
        )
    }

    /// As a literal of SQL, whatever `standard_conforming_strings` says.
    private static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("'", with: "''")
        return "E'\(escaped)'"
    }
}

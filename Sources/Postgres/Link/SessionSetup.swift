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

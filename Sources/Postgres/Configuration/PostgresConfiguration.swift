/// Where the database is and how a session behaves.
///
/// A value that the connection string itself sets (`connect_timeout`, `application_name`, `options` and so on) wins
/// over the one here.
package struct PostgresConfiguration: Sendable {
    let connectionString: ConnectionString
    /// As it was given, password and all: only for another process of ours that needs the same database.
    package let conninfo: String
    /// Shared by all copies, and so by all connections of a process.
    let silences = ServerSilences()

    /// Shown in `pg_stat_activity`; also the name of the thread.
    package var applicationName: String
    /// For each host of the connection string, one after the other; at most two seconds where there are several.
    package var connectTimeout: Duration
    /// The server gives a statement up after this (57014); `.zero` for never.
    package var statementTimeout: Duration
    /// So much longer than `statementTimeout` the answers of one round trip are waited for. Then the server hangs: the connection
    /// is dropped, and so are those to the same server that have heard nothing from it since.
    package var answerMargin: Duration
    /// The server gives a wait for a lock up after this (55P03); `.zero` for never.
    package var lockTimeout: Duration
    /// The server ends a session that leaves a transaction idle for this long; `.zero` for never.
    package var idleInTransactionTimeout: Duration
    /// How long data may stay unacknowledged by the other machine before the connection counts as lost.
    package var tcpUserTimeout: Duration
    /// How many prepared statements a connection keeps.
    package var statementCacheSize: Int
    /// Further settings of the session, for instance `("plan_cache_mode", "force_custom_plan")`.
    package var sessionSettings: [(name: String, value: String)]
    /// Told of every notice and warning of the server; without it they are dropped.
    package var onNotice: (@Sendable (PostgresNotice) -> Void)?

    /// `conninfo` is what libpq takes: a URI or `keyword=value` pairs, several hosts included.
    ///
    /// - Throws: `invalidConfiguration`, in words that quote nothing of `conninfo`.
    package init(
        conninfo: String,
        applicationName: String = "postgres",
        connectTimeout: Duration = .seconds(5),
        statementTimeout: Duration = .seconds(30),
        answerMargin: Duration = .seconds(1),
        lockTimeout: Duration = .seconds(10),
        idleInTransactionTimeout: Duration = .seconds(60),
        tcpUserTimeout: Duration = .seconds(10),
        statementCacheSize: Int = 128,
        sessionSettings: [(name: String, value: String)] = [],
        onNotice: (@Sendable (PostgresNotice) -> Void)? = nil
    ) throws(PostgresError) {
        connectionString = try ConnectionString(conninfo)
        self.conninfo = conninfo
        self.applicationName = applicationName
        self.connectTimeout = connectTimeout
        self.statementTimeout = statementTimeout
        self.answerMargin = answerMargin
        self.lockTimeout = lockTimeout
        self.idleInTransactionTimeout = idleInTransactionTimeout
        self.tcpUserTimeout = tcpUserTimeout
        self.statementCacheSize = max(statementCacheSize, 1)
        self.sessionSettings = sessionSettings
        self.onNotice = onNotice
    }

    /// As the server counts it: in milliseconds, 0 for none. `nil` where the connection string sets it in other units.
    package var statementTimeoutMilliseconds: Int64? {
        settings.last { $0.name.lowercased() == "statement_timeout" }.flatMap { Int64($0.value) }
    }

    /// Every host is this machine, by a loopback address or a socket.
    package var isLoopbackOnly: Bool { connectionString.isLoopbackOnly }

    /// Whether the server must show a trusted certificate with its name in it (`sslmode=verify-full`).
    package var verifiesServer: Bool { connectionString.verifiesServer }

    /// The same with another name in `pg_stat_activity`.
    package func named(_ applicationName: String) -> PostgresConfiguration {
        var copy = self
        copy.applicationName = applicationName
        return copy
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Hosts, database and user; never the password, nor any other parameter.
    package var description: String {
        let hosts = connectionString.hosts?.map { host in
            (host.address ?? host.host ?? "default") + (host.port.map { ":\($0)" } ?? "")
        }
        let database = connectionString["dbname"] ?? "default"
        return "PostgreSQL database \(database) at \(hosts?.joined(separator: ", ") ?? "the default host")"
    }

    package var debugDescription: String { description }
    package var customMirror: Mirror { Mirror(self, children: []) }
}

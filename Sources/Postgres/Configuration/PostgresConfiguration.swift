import Glibc

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

extension PostgresConfiguration {
    /// The keywords and values for one attempt to connect.
    ///
    /// `host` stands in place of the string's lists (`nil` leaves the choice to libpq), `attributes` in place of its
    /// `target_session_attrs`.
    func parameters(host: ConnectionString.Host?, attributes: String?) -> [(keyword: String, value: String)] {
        var parameters = defaults
        func set(_ keyword: String, _ value: String?) {
            parameters.removeAll { $0.keyword == keyword }
            if let value { parameters.append((keyword, value)) }
        }
        for (keyword, value) in connectionString.values { set(keyword, value) }
        if let host {
            set("host", host.host)
            set("hostaddr", host.address)
            set("port", host.port)
        }
        if let attributes { set("target_session_attrs", attributes) }
        let isAttributeGiven = connectionString["target_session_attrs"] != nil || getenv("PGTARGETSESSIONATTRS") != nil
        if hasSeveralHosts, attributes == nil, !isAttributeGiven {
            set("target_session_attrs", "read-write")
        }
        set("client_encoding", "UTF8")
        // Settings go as SET once the session is open: a connection pooler refuses startup options, or drops them. What is no
        // setting is left to the server.
        set("options", theirSettings == nil ? theirOptions : nil)
        return parameters
    }

    /// Milliseconds that libpq and the server take as whole numbers.
    static func milliseconds(_ duration: Duration) -> Int64 {
        let (seconds, attoseconds) = duration.components
        let (whole, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        // The server counts timeouts in 31 bits, and zero means none.
        guard !overflow else { return Int64(Int32.max) }
        let value = whole + attoseconds / 1_000_000_000_000_000
        return duration > .zero ? min(max(value, 1), Int64(Int32.max)) : 0
    }

    /// How long one host may take to accept a session; `nil` for as long as it likes.
    var timeoutPerHost: Duration? {
        let seconds = connectionString["connect_timeout"].flatMap { Int($0) }
        let ours = hasSeveralHosts ? min(connectTimeout, .seconds(2)) : connectTimeout
        let timeout = seconds.map { Duration.seconds($0) } ?? ours
        return timeout > .zero ? timeout : nil
    }

    /// How long the answers of one round trip may take before the connection counts as lost; `nil` forever.
    ///
    /// The server's own limit does not help where the server hangs: its kernel still acknowledges what is sent.
    var answerTimeout: Duration? {
        statementTimeout > .zero ? statementTimeout + answerMargin : nil
    }

    private var hasSeveralHosts: Bool { (connectionString.hosts?.count ?? 0) > 1 }

    private var defaults: [(keyword: String, value: String)] {
        [
            ("fallback_application_name", applicationName),
            ("keepalives_idle", "10"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(Self.milliseconds(tcpUserTimeout))"),
        ]
    }

    /// What is set in every session, and where the connections have a pooler in between, in every transaction. The user's own
    /// settings win.
    var settings: [(name: String, value: String)] {
        var settings: [(name: String, value: String)] = [
            ("TimeZone", "UTC"),
            ("statement_timeout", "\(Self.milliseconds(statementTimeout))"),
            ("lock_timeout", "\(Self.milliseconds(lockTimeout))"),
            ("idle_in_transaction_session_timeout", "\(Self.milliseconds(idleInTransactionTimeout))"),
        ]
        for setting in sessionSettings + (theirSettings ?? []) {
            settings.removeAll { $0.name.lowercased() == setting.name.lowercased() }
            settings.append(setting)
        }
        return settings
    }

    private var theirOptions: String? {
        connectionString["options"] ?? getenv("PGOPTIONS").map { String(cString: $0) }
    }

    /// `nil` where they are not settings alone.
    private var theirSettings: [(name: String, value: String)]? {
        theirOptions.map { SessionOptions.settings(in: $0) } ?? []
    }
}

/// What stands between a connection and the server.
package enum PostgresPooling: Sendable, Hashable {
    /// Nothing: the session is the server's own.
    case none
    /// A pooler that keeps count of prepared statements (PgBouncer from 1.21, with `max_prepared_statements`).
    case keepsPrepared
    /// A pooler that does not, or gives us a session of our own, which cannot be told: nothing is kept prepared.
    case forgetsPrepared
}

/// A notice or warning of the server, without its text, which may quote data.
package struct PostgresNotice: Sendable, Hashable {
    /// `NOTICE`, `WARNING`, `LOG` and so on.
    package let severity: String
    package let sqlState: SQLState?
}

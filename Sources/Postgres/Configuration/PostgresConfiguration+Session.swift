import Glibc

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

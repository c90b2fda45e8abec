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
        // Of several servers the one that takes writes is meant, unless the string says otherwise.
        let several = (connectionString.hosts?.count ?? 0) > 1
        if let attributes {
            set("target_session_attrs", attributes)
        } else if several, connectionString["target_session_attrs"] == nil, getenv("PGTARGETSESSIONATTRS") == nil {
            set("target_session_attrs", "read-write")
        }
        set("client_encoding", "UTF8")
        set("options", options)
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
        let timeout = seconds.map { Duration.seconds($0) } ?? connectTimeout
        return timeout > .zero ? timeout : nil
    }

    /// How long the answers to a number of statements may take before the connection counts as lost; `nil` for ever.
    func answerTimeout(statements: Int) -> Duration? {
        guard statementTimeout > .zero else { return nil }
        return statementTimeout * max(statements, 1) + tcpUserTimeout
    }

    private var defaults: [(keyword: String, value: String)] {
        [
            ("fallback_application_name", applicationName),
            ("keepalives_idle", "10"),
            ("keepalives_interval", "5"),
            ("keepalives_count", "3"),
            ("tcp_user_timeout", "\(Self.milliseconds(tcpUserTimeout))"),
        ]
    }

    /// Command-line options of the session; a later one wins, so that the user's own stand last.
    private var options: String {
        var settings: [(name: String, value: String)] = [
            ("TimeZone", "UTC"),
            ("statement_timeout", "\(Self.milliseconds(statementTimeout))"),
            ("lock_timeout", "\(Self.milliseconds(lockTimeout))"),
            ("idle_in_transaction_session_timeout", "\(Self.milliseconds(idleInTransactionTimeout))"),
        ]
        settings += sessionSettings
        let ours = settings.map { "-c \($0.name)=\(Self.escaped($0.value))" }
        let theirs = connectionString["options"] ?? getenv("PGOPTIONS").map { String(cString: $0) }
        return (ours + (theirs.map { [$0] } ?? [])).joined(separator: " ")
    }

    private static func escaped(_ value: String) -> String {
        value.reduce(into: "") { text, character in
            if character == "\\" || character.isWhitespace { text.append("\\") }
            text.append(character)
        }
    }
}

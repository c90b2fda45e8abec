import CPostgres

/// A connection string as libpq read it: its keywords with their values, password and all.
struct ConnectionString: Sendable {
    /// In libpq's order; keywords that the string does not set are left out.
    private(set) var values: [(keyword: String, value: String)] = []

    /// - Throws: `invalidConfiguration`, with a reason that quotes nothing of the text.
    init(_ text: String) throws(PostgresError) {
        guard !text.utf8.contains(0) else { throw Self.invalid("a null character") }
        var message: UnsafeMutablePointer<CChar>?
        guard let options = PQconninfoParse(text, &message) else {
            defer { PQfreemem(message) }
            throw Self.invalid(message.map { Self.reason(of: String(cString: $0)) } ?? "out of memory")
        }
        defer { PQconninfoFree(options) }
        var option = options
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val, value.pointee != 0 {
                values.append((String(cString: keyword), String(cString: value)))
            }
            option += 1
        }
        try check()
    }

    subscript(keyword: String) -> String? {
        values.first { $0.keyword == keyword }?.value
    }

    /// What libpq finds out only when it connects, and what would then look like a server that is down.
    private func check() throws(PostgresError) {
        for port in list("port") where !port.isEmpty {
            guard let number = Int(port), (1...65_535).contains(number) else { throw Self.invalid("port") }
        }
        for keyword in ["connect_timeout", "tcp_user_timeout", "keepalives_idle"] {
            guard let value = self[keyword] else { continue }
            guard Int(value) != nil else { throw Self.invalid(keyword) }
        }
        let attributes = ["any", "read-write", "read-only", "primary", "standby", "prefer-standby"]
        if let value = self["target_session_attrs"], !attributes.contains(value) {
            throw Self.invalid("target_session_attrs")
        }
        let modes = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"]
        if let value = self["sslmode"], !modes.contains(value) { throw Self.invalid("sslmode") }
        let count = max(list("host").count, list("hostaddr").count, 1)
        guard [0, 1, count].contains(list("port").count) else {
            throw Self.invalid("as many ports as hosts are needed, or one")
        }
        guard self["host"] == nil || self["hostaddr"] == nil || list("host").count == list("hostaddr").count else {
            throw Self.invalid("as many hosts as hostaddr are needed")
        }
    }

    /// The elements of a comma-separated value.
    func list(_ keyword: String) -> [String] {
        self[keyword]?.split(separator: ",", omittingEmptySubsequences: false).map(String.init) ?? []
    }

    private static func invalid(_ what: String) -> PostgresError {
        PostgresError(.invalidConfiguration, reason: "connection string: \(what)")
    }

    /// libpq's message quotes the text, which may be the password; only its kind is passed on.
    private static func reason(of message: String) -> String {
        let kinds = [
            ("missing \"=\"", "a keyword without \"=\""),
            ("unterminated quoted string", "a quoted value without its end"),
            ("invalid connection option", "an unknown keyword"),
            ("invalid URI query parameter", "an unknown parameter of the URI"),
            ("percent-encoded", "a malformed percent-encoding"),
            ("key/value separator", "a malformed parameter of the URI"),
            ("forbidden value", "a forbidden percent-encoded null"),
            ("IPv6", "a malformed IPv6 address"),
            ("unexpected character", "an unexpected character in the URI"),
        ]
        return kinds.first { message.contains($0.0) }?.1 ?? "malformed"
    }
}

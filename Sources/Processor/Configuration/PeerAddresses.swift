import AMQP
import ConfigurationReading
import ConfigurationText
import Postgres

/// Where the bank's HTTP API is: `bank.url`.
struct BankAddress: Hashable, Sendable {
    /// Scheme, host, port and perhaps a path, without a slash at the end: paths of the API are appended to it.
    let base: String
    /// Without the brackets of an IPv6 address.
    let host: String
    /// The scheme's own where none is named.
    let port: Int

    init(_ text: String) throws(ValueProblem) {
        guard text.utf8.allSatisfy({ (0x21...0x7e).contains($0) }) else {
            throw ValueProblem("has a character that is not allowed")
        }
        guard let separator = text.firstRange(of: "://"),
            ["http", "https"].contains(text[..<separator.lowerBound].lowercased())
        else { throw ValueProblem("does not begin with http:// or https://") }
        let rest = text[separator.upperBound...]
        guard !rest.contains(where: { $0 == "?" || $0 == "#" }) else { throw ValueProblem("has a query or a fragment") }
        let authority = rest.prefix { $0 != "/" }
        guard !authority.contains("@") else { throw ValueProblem("has a user or a password") }
        let (host, port) = try Self.host(of: authority)
        self.host = host
        self.port = port ?? (text.prefix(6).lowercased() == "https:" ? 443 : 80)
        base = String(text.reversed().drop { $0 == "/" }.reversed())
    }

    var usesTLS: Bool { base.prefix(6).lowercased() == "https:" }

    var isLoopback: Bool { LoopbackHost.matches(host) }

    private static func host(of authority: Substring) throws(ValueProblem) -> (String, Int?) {
        var host = authority
        var port: Substring?
        if authority.hasPrefix("[") {
            guard let end = authority.firstIndex(of: "]") else { throw ValueProblem("has an IPv6 address without ]") }
            host = authority[authority.index(after: authority.startIndex)..<end]
            let tail = authority[authority.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw ValueProblem("has something after its host") }
            port = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[authority.index(after: colon)...]
        }
        guard !host.isEmpty else { throw ValueProblem("has no host") }
        if let port {
            guard port.utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }),
                let number = UInt16(port), number > 0
            else { throw ValueProblem("has a port that is not a number from 1 to 65535") }
        }
        return (String(host), port.flatMap { Int($0) })
    }
}

/// Where the broker's management API is, and as whom: `amqp.management-url`.
struct ManagementAddress: Hashable, Sendable {
    let address: BankAddress
    /// `user:password` as given; `nil`: the user of `amqp.url`.
    let credentials: Secret?

    init(_ text: String) throws(ValueProblem) {
        guard let start = text.firstRange(of: "://")?.upperBound,
            let at = text[start...].prefix(while: { $0 != "/" }).lastIndex(of: "@")
        else {
            address = try BankAddress(text)
            credentials = nil
            return
        }
        guard text[start..<at].contains(":") else { throw ValueProblem("has a user without a password") }
        address = try BankAddress(String(text[..<start] + text[text.index(after: at)...]))
        credentials = Secret(String(text[start..<at]))
    }
}

extension ValueForm where Value == ManagementAddress {
    static let managementURL = ValueForm(
        allowed: "http://host:port or https://host:port, perhaps with user:password@",
        redact: Redaction.brokerURL
    ) { text throws(ValueProblem) in
        try ManagementAddress(text)
    }
}

extension ValueForm where Value == AMQPConfiguration {
    static let brokerURL = ValueForm(
        allowed:
            "amqp://user:password@host:port,host:port/vhost?heartbeat=30&connection_timeout=5000 or amqps://…, each part "
            + "percent-encoded",
        redact: Redaction.brokerURL
    ) { text throws(ValueProblem) in
        do throws(AMQPError) {
            return try AMQPConfiguration(url: text)
        } catch {
            throw ValueProblem(error.problem ?? "is no AMQP URL")
        }
    }
}

extension ValueForm where Value == PostgresConfiguration {
    static let conninfo = ValueForm(
        allowed: "a libpq connection string, as a URI postgresql://… or as keyword=value pairs",
        redact: Redaction.conninfo
    ) { text throws(ValueProblem) in
        do throws(PostgresError) {
            return try PostgresConfiguration(conninfo: text, applicationName: "payment-processor")
        } catch {
            throw ValueProblem("cannot be read: \(error.reason ?? "malformed")")
        }
    }
}

extension ValueForm where Value == BankAddress {
    static let bankURL = ValueForm(
        allowed: "http://host:port or https://host:port, perhaps with a path, without user, query or fragment"
    ) { text throws(ValueProblem) in
        try BankAddress(text)
    }
}

import CPostgres
import Glibc

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

extension ConnectionString {
    /// One server that may be tried: what to put in place of the lists of the string.
    struct Host: Sendable, Hashable {
        var host: String?
        var address: String?
        var port: String?
    }

    /// The hosts in their order; `nil` where the string names none, and libpq takes them from elsewhere (environment,
    /// service file, or the default socket).
    var hosts: [Host]? {
        let names = list("host")
        let addresses = list("hostaddr")
        let ports = list("port")
        let count = max(names.count, addresses.count)
        guard count > 0 else { return nil }
        return (0..<count).map { index in
            Host(
                host: element(names, index),
                address: element(addresses, index),
                port: ports.count == 1 ? element(ports, 0) : element(ports, index)
            )
        }
    }

    /// Whether every server it can lead to is this machine.
    ///
    /// libpq takes from the environment what the string leaves open, and an address from there even where the string
    /// has a host. A service file may lead anywhere.
    var isLoopbackOnly: Bool {
        guard self["service"] == nil, getenv("PGSERVICE") == nil else { return false }
        let hosts = hosts ?? [Host()]
        return hosts.allSatisfy { host in
            let address = host.address.map { [$0] } ?? Self.environmentList("PGHOSTADDR")
            guard address.isEmpty else { return address.allSatisfy(Self.isLoopback) }
            return (host.host.map { [$0] } ?? Self.environmentList("PGHOST")).allSatisfy(Self.isLoopback)
        }
    }

    var verifiesServer: Bool { (self["sslmode"] ?? getenv("PGSSLMODE").map { String(cString: $0) }) == "verify-full" }

    private static func environmentList(_ name: String) -> [String] {
        guard let value = getenv(name) else { return [] }
        return String(cString: value).split(separator: ",").map(String.init)
    }

    private func element(_ list: [String], _ index: Int) -> String? {
        guard list.indices.contains(index), !list[index].isEmpty else { return nil }
        return list[index]
    }

    /// A socket in the file system or in the abstract namespace, or an address of the loopback network.
    private static func isLoopback(_ host: String) -> Bool {
        if host.hasPrefix("/") || host.hasPrefix("@") || host.lowercased() == "localhost" { return true }
        var v4 = in_addr()
        if inet_pton(AF_INET, host, &v4) == 1 { return UInt32(bigEndian: v4.s_addr) >> 24 == 127 }
        var v6 = in6_addr()
        guard inet_pton(AF_INET6, host, &v6) == 1 else { return false }
        return withUnsafeBytes(of: v6) { bytes in bytes.dropLast().allSatisfy { $0 == 0 } && bytes.last == 1 }
    }
}

/// The text of `options` in a connection string, or of `PGOPTIONS`, as the server reads it: arguments of a command line.
enum SessionOptions {
    /// The settings that it makes, in order; `nil` where it has anything else, or cannot be read.
    static func settings(in text: String) -> [(name: String, value: String)]? {
        var settings: [(name: String, value: String)] = []
        var arguments = split(text)[...]
        while let argument = arguments.popFirst() {
            var assignment: Substring
            if argument.hasPrefix("--") {
                assignment = argument.dropFirst(2)
            } else if argument.hasPrefix("-c") {
                assignment = argument.dropFirst(2)
                if assignment.isEmpty {
                    guard let next = arguments.popFirst() else { return nil }
                    assignment = next[...]
                }
            } else {
                return nil
            }
            guard let sign = assignment.firstIndex(of: "="), sign > assignment.startIndex else { return nil }
            let name = assignment[..<sign].map { $0 == "-" ? "_" : $0 }
            settings.append((String(name), String(assignment[assignment.index(after: sign)...])))
        }
        return settings
    }

    /// By white space; a backslash takes the next character as it is.
    private static func split(_ text: String) -> [String] {
        var arguments: [String] = []
        var current: String?
        var isEscaped = false
        for character in text {
            if isEscaped {
                current = (current ?? "") + String(character)
                isEscaped = false
            } else if character == "\\" {
                isEscaped = true
            } else if character.isWhitespace {
                if let argument = current { arguments.append(argument) }
                current = nil
            } else {
                current = (current ?? "") + String(character)
            }
        }
        if let argument = current { arguments.append(argument) }
        return arguments
    }
}

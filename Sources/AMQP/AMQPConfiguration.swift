/// Where the broker is and how to log in.
package struct AMQPConfiguration: Sendable, Equatable {
    /// The nodes of the broker, never none: tried one after the other.
    package var addresses: [AMQPAddress]
    package var user: String
    package var password: String
    package var virtualHost: String
    /// TLS 1.2 or later, with the broker's certificate and name verified. `amqps://` sets it.
    package var usesTLS: Bool
    /// PEM file of the authorities to trust. Absent: those of the system.
    package var caFile: String?
    /// PEM file of the client's certificate chain; needs `keyFile`.
    package var certFile: String?
    /// PEM file of the client's private key, not encrypted; needs `certFile`.
    package var keyFile: String?
    /// The interval asked of the broker, in whole seconds from 1 up; a connection is given up after two silent ones.
    package var heartbeat: Duration
    /// The client property `connection_name`, which the broker shows in its listings.
    package var connectionName: String?
    /// The limit for the TCP connection and, once more, for the login. Name resolution has limits of its own.
    package var connectTimeout: Duration

    /// The first node.
    package var host: String {
        get { addresses[0].host }
        set { addresses[0].host = newValue }
    }

    package var port: UInt16 {
        get { addresses[0].port }
        set { addresses[0].port = newValue }
    }

    /// The nodes as one text.
    package var place: String { addresses.map(\.description).joined(separator: ",") }

    /// The same, beginning with the node after the one at `index`.
    func startingAfter(_ address: AMQPAddress) -> AMQPConfiguration {
        guard let index = addresses.firstIndex(of: address) else { return self }
        var copy = self
        copy.addresses = Array(addresses[(index + 1)...] + addresses[...index])
        return copy
    }

    package init(
        host: String = "127.0.0.1",
        port: UInt16 = 5672,
        user: String = "guest",
        password: String = "guest",
        virtualHost: String = "/",
        usesTLS: Bool = false,
        caFile: String? = nil,
        certFile: String? = nil,
        keyFile: String? = nil,
        heartbeat: Duration = .seconds(10),
        connectionName: String? = nil,
        connectTimeout: Duration = .seconds(5)
    ) {
        addresses = [AMQPAddress(host: host, port: port)]
        self.user = user
        self.password = password
        self.virtualHost = virtualHost
        self.usesTLS = usesTLS
        self.caFile = caFile
        self.certFile = certFile
        self.keyFile = keyFile
        self.heartbeat = heartbeat
        self.connectionName = connectionName
        self.connectTimeout = connectTimeout
    }
}

extension AMQPConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The address without the password.
    package var description: String {
        "\(usesTLS ? "amqps" : "amqp")://\(user):***@\(place) vhost \(virtualHost)"
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

extension AMQPConfiguration {
    /// Reads `amqp://user:password@host:port,host:port/vhost?heartbeat=30&connection_timeout=5000` or `amqps://…`.
    ///
    /// Every part may be percent-encoded. Left out, they are: user and password `guest`, port 5672 or 5671, virtual host
    /// `/`, as in RabbitMQ's URI specification; the virtual host `/` spelt out is `%2f`. The heartbeat is in seconds, the timeout of
    /// a connection in milliseconds.
    ///
    /// - Throws: `invalidConfiguration`; `problem` names the part, never what stood in it.
    package init(url: String) throws(AMQPError) {
        self.init()
        guard let separator = url.firstRange(of: "://") else { throw .invalidURL("it has no amqp:// or amqps://") }
        switch url[..<separator.lowerBound].lowercased() {
        case "amqp": usesTLS = false
        case "amqps": usesTLS = true
        default: throw .invalidURL("its scheme is neither amqp nor amqps")
        }
        var rest = url[separator.upperBound...]
        guard !rest.contains("#") else { throw .invalidURL("it has a fragment, which has no meaning here") }
        if let query = rest.firstIndex(of: "?") {
            try readQuery(rest[rest.index(after: query)...])
            rest = rest[..<query]
        }
        let slash = rest.firstIndex(of: "/")
        let authority = rest[..<(slash ?? rest.endIndex)]
        let at = authority.lastIndex(of: "@")
        if let at { try readCredentials(authority[..<at]) }
        let hosts = at.map { authority[authority.index(after: $0)...] } ?? authority
        addresses = []
        for text in hosts.split(separator: ",", omittingEmptySubsequences: false) {
            addresses.append(try readAddress(text))
        }
        if let slash { try readVirtualHost(rest[rest.index(after: slash)...]) }
    }

    private mutating func readCredentials(_ text: Substring) throws(AMQPError) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        user = try Self.decode(parts[0], part: "user")
        guard !user.isEmpty else { throw .invalidURL("its user is empty") }
        guard parts.count == 2 else { throw .invalidURL("it has a user but no password") }
        password = try Self.decode(parts[1], part: "password")
    }

    private func readAddress(_ text: Substring) throws(AMQPError) -> AMQPAddress {
        var hostPart = text
        var portPart: Substring?
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { throw .invalidURL("its IPv6 address has no ]") }
            hostPart = text[text.index(after: text.startIndex)..<end]
            let tail = text[text.index(after: end)...]
            guard tail.isEmpty || tail.hasPrefix(":") else { throw .invalidURL("there is something after its host") }
            portPart = tail.isEmpty ? nil : tail.dropFirst()
        } else if let colon = text.firstIndex(of: ":") {
            hostPart = text[..<colon]
            portPart = text[text.index(after: colon)...]
        }
        let host = try Self.decode(hostPart, part: "host")
        guard !host.isEmpty else { throw .invalidURL("its host is empty") }
        guard let portPart else { return AMQPAddress(host: host, port: usesTLS ? 5671 : 5672) }
        guard portPart.allSatisfy({ $0.isASCII && $0.isNumber }), let number = UInt16(portPart), number > 0 else {
            throw .invalidURL("its port is not a number from 1 to 65535")
        }
        return AMQPAddress(host: host, port: number)
    }

    /// The names that RabbitMQ's clients know and that have a meaning here.
    private mutating func readQuery(_ text: Substring) throws(AMQPError) {
        var seen: Set<String> = []
        for parameter in text.split(separator: "&", omittingEmptySubsequences: false) {
            let parts = parameter.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            let name = try Self.decode(parts[0], part: "query")
            guard parts.count == 2, seen.insert(name).inserted else {
                throw .invalidURL("its query must be name=value pairs, each name once")
            }
            let number = Int(try Self.decode(parts[1], part: "query"))
            switch name {
            case "heartbeat":
                guard let number, (1...65_535).contains(number) else {
                    throw .invalidURL("heartbeat in its query must be 1 to 65535, in seconds")
                }
                heartbeat = .seconds(number)
            case "connection_timeout":
                guard let number, (1...3_600_000).contains(number) else {
                    throw .invalidURL("connection_timeout in its query must be 1 to 3600000, in milliseconds")
                }
                connectTimeout = .milliseconds(number)
            default:
                throw .invalidURL("its query may name heartbeat and connection_timeout, and nothing else")
            }
        }
    }

    private mutating func readVirtualHost(_ text: Substring) throws(AMQPError) {
        // "amqp://host/" names the empty virtual host by the letter of the specification; nobody has one or means it.
        guard !text.isEmpty else { return }
        guard !text.contains("/") else { throw .invalidURL("its virtual host holds a / that is not written %2f") }
        virtualHost = try Self.decode(text, part: "virtual host")
        guard virtualHost.utf8.count <= 255 else { throw .invalidURL("its virtual host is longer than 255 bytes") }
    }

    private static func decode(_ text: Substring, part: String) throws(AMQPError) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(hexValue), let low = rest.popFirst().flatMap(hexValue) else {
                throw .invalidURL("its \(part) has a % without two hexadecimal digits")
            }
            bytes.append(high << 4 | low)
        }
        // Goes to C as a string with a NUL at its end.
        guard !bytes.contains(0) else { throw .invalidURL("its \(part) holds a NUL") }
        guard let decoded = String(validating: bytes, as: UTF8.self) else {
            throw .invalidURL("its \(part) is not UTF-8")
        }
        return decoded
    }

    private static func hexValue(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}

extension AMQPError {
    fileprivate static func invalidURL(_ problem: String) -> AMQPError {
        AMQPError(.invalidConfiguration, problem: "the AMQP URL is unusable: \(problem)")
    }
}

/// Where a node of the broker listens.
package struct AMQPAddress: Sendable, Hashable, CustomStringConvertible {
    /// A name or an address, without the brackets of IPv6.
    package var host: String
    package var port: UInt16

    package init(host: String, port: UInt16) {
        self.host = host
        self.port = port
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

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

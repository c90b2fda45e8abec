/// Where the broker is and how to log in.
package struct AMQPConfiguration: Sendable, Equatable {
    package var host: String
    package var port: UInt16
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
        self.host = host
        self.port = port
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
        "\(usesTLS ? "amqps" : "amqp")://\(user):***@\(host):\(port) vhost \(virtualHost)"
    }

    package var debugDescription: String { description }

    package var customMirror: Mirror { Mirror(self, children: ["address": description]) }
}

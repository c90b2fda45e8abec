package import AMQP
import ConfigurationText
package import Core

/// Where the broker is, and what its exchanges are called.
public struct PaymentClientConfiguration: Sendable, Equatable {
    package var amqp: AMQPConfiguration
    package let names: BrokerNames

    /// - Parameters:
    ///   - url: `amqps://user:password@host:port/vhost`, several hosts with commas; `?heartbeat=` in seconds,
    ///     `connection_timeout=` in milliseconds. `amqp://` only leads to this machine, unless `allowsPlaintext`.
    ///   - prefix: what the names of the exchanges begin with: the processor's `amqp.prefix`.
    ///   - caFile: the authorities to trust, a PEM file; `nil`: the system's.
    ///   - certFile: the client's certificate chain, a PEM file; needs `keyFile`.
    ///   - keyFile: the client's unencrypted private key, a PEM file; needs `certFile`.
    ///   - allowsPlaintext: whether `amqp://` may lead to another machine.
    ///   - connectionName: what the broker shows in its list of connections.
    /// - Throws: `PaymentClientError.Code.configuration`, naming all that is wrong and quoting none of it.
    public init(
        url: String,
        prefix: String = "payments",
        caFile: String? = nil,
        certFile: String? = nil,
        keyFile: String? = nil,
        allowsPlaintext: Bool = false,
        connectionName: String = "payment-commands"
    ) throws(PaymentClientError) {
        let (configuration, problems) = Self.checked(
            url: url,
            prefix: prefix,
            caFile: caFile,
            certFile: certFile,
            keyFile: keyFile,
            allowsPlaintext: allowsPlaintext,
            connectionName: connectionName
        )
        guard problems.isEmpty else {
            throw PaymentClientError(.configuration, problems.map(\.description).joined(separator: "; "))
        }
        self = configuration
    }

    private init(_ amqp: AMQPConfiguration, _ names: BrokerNames) {
        self.amqp = amqp
        self.names = names
    }

    /// - Returns: what can be made of the values, and everything that is wrong with them.
    package static func checked(
        url: String,
        prefix: String,
        caFile: String?,
        certFile: String?,
        keyFile: String?,
        allowsPlaintext: Bool,
        connectionName: String
    ) -> (configuration: PaymentClientConfiguration, problems: [BrokerProblem]) {
        var problems: [BrokerProblem] = []
        var amqp = AMQPConfiguration()
        do throws(AMQPError) {
            amqp = try AMQPConfiguration(url: url)
        } catch {
            problems.append(.url(error.problem ?? error.description))
        }
        if !amqp.usesTLS, !allowsPlaintext, !amqp.addresses.allSatisfy({ LoopbackHost.matches($0.host) }) {
            problems.append(.plaintext)
        }
        if !isUsable(prefix: prefix) { problems.append(.prefix) }
        if (certFile == nil) != (keyFile == nil) { problems.append(.halfCertificate) }
        amqp.caFile = caFile
        amqp.certFile = certFile
        amqp.keyFile = keyFile
        amqp.connectionName = connectionName
        return (PaymentClientConfiguration(amqp, BrokerNames(prefix: prefix)), problems)
    }

    /// The broker keeps names that begin with `amq.` to itself.
    private static func isUsable(prefix: String) -> Bool {
        (1...64).contains(prefix.utf8.count) && !"\(prefix).".hasPrefix("amq.")
            && prefix.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                    true
                default: false
                }
            }
    }
}

/// What is wrong with a value of a client's configuration. It holds none of it.
package enum BrokerProblem: Hashable, Sendable, CustomStringConvertible {
    /// With what is wrong with the address.
    case url(String)
    /// The address leads to another machine without TLS.
    case plaintext
    case prefix
    /// A certificate without its key, or the other way round.
    case halfCertificate

    package var description: String {
        switch self {
        case .url(let problem): problem
        case .plaintext: "the AMQP URL leads to another machine without amqps://"
        case .prefix: "the prefix \(Self.prefixRule)"
        case .halfCertificate: "certFile and keyFile: one needs the other"
        }
    }

    package static let prefixRule = "must be 1 to 64 characters of A-Z a-z 0-9 . _ - and not amq or amq.…"
}

extension PaymentClientConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// Without the password.
    public var description: String { "\(amqp), prefix \(names.prefix)" }
    public var debugDescription: String { description }
    public var customMirror: Mirror { Mirror(self, children: ["broker": description]) }
}

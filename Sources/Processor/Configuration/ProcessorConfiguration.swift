import AMQP
import ConfigurationReading
import Core
import Postgres

/// How the processor is set up (docs/contract.md#configuration): every entry of `Settings` under its name there, and what is made
/// of several of them. A value of this type has passed every check.
@dynamicMemberLookup
struct ProcessorConfiguration: Sendable {
    /// Of every entry.
    let values: SettingValues
    /// With the TLS files in place.
    let broker: AMQPConfiguration
    /// With its timeout of statements.
    let database: PostgresConfiguration
    let bankTLS: BankTLS
    let limits: HandlerLimits
    let fingerprintSecret: Secret
    let cards: CardsConfiguration
    let admin: AdminConfiguration
    /// What only this processor should be able to read.
    let secretFiles: [SecretFile]

    /// What is in force, fit to be shown, in the order of `Settings.all`.
    let effective: [EffectiveSetting]
    /// What is allowed and yet most likely not meant.
    let warnings: [String]

    /// The value of an entry.
    subscript<Value>(dynamicMember entry: KeyPath<Settings, Setting<Value>>) -> Value {
        guard let value = values[Settings.table[keyPath: entry]] else {
            preconditionFailure("a configuration has every value of its table")
        }
        return value
    }
}

struct AdminConfiguration: Hashable, Sendable {
    let host: String
    /// 0 is any free port.
    let port: Int
    /// That of `AdminToken.admin`.
    let token: Secret?
    /// Without any token only loopback peers are served.
    var tokens: [AdminToken] = []
    /// `nil`: plain HTTP.
    var tls: AdminTLS?
}

/// PEM files of the admin server's certificate with its chain, and of its private key.
struct AdminTLS: Hashable, Sendable {
    let certFile: String
    let keyFile: String
}

/// PEM files for a bank at `https://`.
struct BankTLS: Hashable, Sendable {
    var caFile: String?
    var certFile: String?
    var keyFile: String?
}

/// How cards may come (docs/contract.md#sealed-cards).
struct CardsConfiguration: Sendable {
    let files: CardKeyFiles
    let acceptsPlain: Bool

    var intake: CardIntake { CardIntake(keys: files.keyring, acceptsPlain: acceptsPlain) }
}

extension ProcessorConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The effective values, redacted.
    var description: String {
        effective.map { "\($0.name)=\($0.shown ?? "")" }.joined(separator: " ")
    }

    var debugDescription: String { description }

    var customMirror: Mirror {
        Mirror(self, children: effective.map { (label: $0.name as String?, value: ($0.shown ?? "") as Any) })
    }
}

/// Everything that is wrong with the configuration, told at once. The process exits with 78
/// (docs/contract.md#configuration).
struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// One line each: `amqp.prefetch (AMQP_PREFETCH): is not an integer; allowed: an integer from 1 to 65535`.
    let problems: [String]

    var description: String { problems.joined(separator: "\n") }
}

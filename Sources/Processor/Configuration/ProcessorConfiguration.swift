import AMQP
import Core
import Logging
import Postgres

/// How the processor is set up (docs/contract.md#configuration). A value of this type has passed every check.
struct ProcessorConfiguration: Sendable {
    /// With the TLS files in place.
    let broker: AMQPConfiguration
    let names: BrokerNames
    /// 1–256.
    let partitions: Int
    /// Unacknowledged deliveries per partition, 1–65,535.
    let prefetch: UInt16
    /// Declare the topology, rather than only check it.
    let declaresTopology: Bool
    let management: ManagementAddress?
    let database: PostgresConfiguration
    /// Bring the schema up to date, rather than only check it.
    let migratesDatabase: Bool
    let bank: BankAddress
    let limits: HandlerLimits
    /// The most requests to the bank at a time, 1–1,024.
    let bankConcurrency: Int
    let bankTLS: BankTLS
    let fingerprintSecret: Secret
    /// Those that fingerprints may have been made with before, or by processors that are ahead.
    let previousSecrets: [Secret]
    let cards: CardsConfiguration
    /// `nil`: all who may publish are one trust zone.
    let merchants: MerchantAccess?
    /// What only this processor should be able to read.
    let secretFiles: [SecretFile]
    let admin: AdminConfiguration
    /// How long what is in flight may take to finish after a first SIGTERM.
    let shutdownGrace: Duration
    let sweeps: SweepConfiguration
    let logLevel: Logger.Level
    let logFormat: LogFormat
    let logOverflow: LogOverflow

    /// What is in force, fit to be shown, in the order of `Settings.all`.
    let effective: [EffectiveSetting]
    /// What is allowed and yet most likely not meant.
    let warnings: [String]
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

struct SweepConfiguration: Hashable, Sendable {
    let reconcilePeriod: Duration
    let expirePeriod: Duration
    /// How far past its expiry, by the bank's clock, an authorization must be (docs/correctness.md#expiry-needs-proof).
    let expireGrace: Duration
    /// Void what has expired.
    let voidsExpired: Bool
    let retentionPeriod: Duration
    /// Rows per look.
    let batch: Int
    /// How long an open dead letter keeps a sealed card.
    let sealedCardRetention: Duration
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

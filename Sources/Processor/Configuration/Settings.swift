import AMQP
import ConfigurationReading
import Core
import Logging
import Postgres

/// The table of keys (docs/contract.md#configuration). An entry is all that a key needs: options, messages, `check-config`, the
/// documentation and `ProcessorConfiguration` come from it. Their order is that of the documentation.
struct Settings: SettingTable {
    static let table = Settings()
    static let entries = table.entries
    static let all: [SettingDescriptor] = entries.map(\.descriptor)
    private static let periods: ClosedRange<Duration> = .milliseconds(100) ... .seconds(604_800)

    let broker = Setting(
        "amqp.url",
        .brokerURL,
        default: "amqp://guest:guest@127.0.0.1:5672/%2f",
        help: "The RabbitMQ broker; several hosts are allowed"
    )
    let names = Setting(
        "amqp.prefix",
        ValueForm.namePrefix.map { BrokerNames(prefix: $0) },
        default: "payments",
        help: "What the names of all queues and exchanges begin with"
    )
    let partitions = Setting(
        "amqp.partitions",
        .integer(1...256),
        default: "8",
        help: "How many command queues there are; the commands of one payment share one"
    )
    let prefetch = Setting<UInt16>(
        "amqp.prefetch",
        .integer(1...65_535),
        default: "64",
        help: "How many unacknowledged commands are taken from each command queue"
    )
    let declaresTopology = Setting(
        "amqp.declare",
        .boolean,
        default: "true",
        help: "Declare queues and exchanges, again when they vanish; if false, only check that they exist"
    )
    let management = Setting(
        "amqp.management-url",
        .managementURL,
        help: "The broker's management API, asked for policies that remove what waits, and for bindings"
    )
    let brokerCAFile = Setting(
        "amqp.ca-file",
        .readableFile,
        defaultNote: "those of the system",
        help: "The authorities to trust with amqps://"
    )
    let brokerCertFile = Setting(
        "amqp.cert-file",
        .readableFile,
        help: "The client's certificate chain for amqps://; needs amqp.key-file"
    )
    let brokerKeyFile = Setting(
        "amqp.key-file",
        .readableFile,
        help: "The client's unencrypted private key for amqps://; needs amqp.cert-file"
    )
    let database = Setting(
        "database.url",
        .conninfo,
        default: "postgresql://postgres@127.0.0.1:5432/payments",
        help: "The PostgreSQL database; of several hosts, the one that takes writes"
    )
    let migratesDatabase = Setting(
        "database.migrate",
        .boolean,
        default: "true",
        help: "Bring the database schema up to date at start; if false, only check it"
    )
    let statementTimeout = Setting(
        "database.statement-timeout",
        .duration(.milliseconds(100) ... .seconds(600)),
        default: "5s",
        help: "How long one statement may take, migrations aside; a server that says nothing for longer counts as lost"
    )
    let bank = Setting(
        "bank.url",
        .bankURL,
        default: "http://127.0.0.1:8787",
        help: "The bank's HTTP API"
    )
    let bankTimeout = Setting(
        "bank.timeout",
        .duration(.milliseconds(10) ... .seconds(600)),
        default: "15s",
        help: "Bounds one request to the bank"
    )
    let bankWorstCase = Setting(
        "bank.worst-case",
        .duration(.zero ... .seconds(3_600)),
        default: "17s",
        help: "How long the bank may go on executing a request that was given up"
    )
    let bankConcurrency = Setting(
        "bank.concurrency",
        .integer(1...1_024),
        default: "128",
        help: "The most requests to the bank at a time, of this processor"
    )
    let bankCAFile = Setting(
        "bank.ca-file",
        .readableFile,
        defaultNote: "those of the system",
        help: "The authorities to trust with a bank at https://"
    )
    let bankCertFile = Setting(
        "bank.cert-file",
        .readableFile,
        help: "The client's certificate chain for the bank; needs bank.key-file"
    )
    let bankKeyFile = Setting(
        "bank.key-file",
        .readableFile,
        help: "The client's unencrypted private key for the bank; needs bank.cert-file"
    )
    let fingerprintSecret = Setting(
        "fingerprint.secret",
        .secret(16...1_024),
        defaultNote: "a fixed development value on loopback; required elsewhere",
        help: "The key of the digests that tell a duplicate from a reused idempotency key"
    )
    let previousSecrets = Setting(
        "fingerprint.previous-secrets",
        .secrets(16...1_024),
        absent: [],
        help: "Secrets whose digests are recognized, too: those before, and the next one while it is introduced"
    )
    let cardKeyFiles = Setting(
        "cards.key-files",
        .cardKeyFiles,
        absent: .none,
        help: "The private keys that open sealed cards, the current one first; `processor keys generate` makes them"
    )
    let acceptsPlainCards = Setting(
        "cards.accept-plain",
        .boolean,
        defaultNote: "true where broker, database and bank are all on loopback, else false",
        help: "Take cards that are not sealed, too, which then rest on the broker's disk"
    )
    let merchants = Setting(
        "merchants.file",
        .merchants,
        defaultNote: "none: whoever may publish may act for every merchant",
        help: "Which user of the broker may act for which merchants, a line each: user merchant-id,merchant-id"
    )
    let lease = Setting(
        "operation.lease",
        .duration(.milliseconds(10) ... .seconds(86_400)),
        defaultNote: "bank.timeout + bank.worst-case + 5s",
        help: "How long a worker owns an operation; at least bank.timeout + bank.worst-case"
    )
    let busyAfter = Setting(
        "payment.busy-after",
        .duration(.milliseconds(100) ... .seconds(86_400)),
        default: "2m",
        help: "How long a command waits for another one of its payment before it is rejected"
    )
    let adminHost = Setting(
        "admin.host",
        .host,
        default: "127.0.0.1",
        help: "Where the admin HTTP server listens"
    )
    let adminPort = Setting(
        "admin.port",
        .integer(0...65_535),
        default: "9090",
        help: "The port of the admin HTTP server; 0 is any free one"
    )
    let adminToken = Setting(
        "admin.token",
        .secret(16...1_024),
        defaultNote: "none: only loopback is served",
        help: "The bearer token that admin requests need, /healthz and /readyz excepted"
    )
    let adminTokens = Setting(
        "admin.tokens-file",
        .adminTokens,
        absent: [],
        help:
            "Bearer tokens of operators, a line each: name, role (read or operate), SHA-256 of the token in hexadecimal"
    )
    let adminCertFile = Setting(
        "admin.cert-file",
        .readableFile,
        defaultNote: "none: plain HTTP",
        help: "The admin server's certificate chain, with which it speaks TLS; needs admin.key-file"
    )
    let adminKeyFile = Setting(
        "admin.key-file",
        .readableFile,
        help: "The admin server's unencrypted private key; needs admin.cert-file"
    )
    let shutdownGrace = Setting(
        "shutdown.grace",
        .duration(.zero ... .seconds(3_600)),
        default: "25s",
        help: "How long what is in flight may take to finish after SIGTERM"
    )
    let reconcilePeriod = Setting(
        "sweeps.reconcile.period",
        .duration(Self.periods),
        default: "60s",
        help: "How often open operations are checked"
    )
    let expirePeriod = Setting(
        "sweeps.expire.period",
        .duration(Self.periods),
        default: "5m",
        help: "How often authorizations past their expiry are searched for"
    )
    let expireGrace = Setting(
        "sweeps.expire.grace",
        .duration(.zero ... .seconds(604_800)),
        default: "1h",
        help: "How far past its expiry, by the bank's clock, an authorization must be"
    )
    let voidsExpired = Setting(
        "sweeps.expire.void",
        .boolean,
        default: "false",
        help: "Void what has expired, so that the bank frees its hold"
    )
    let retentionPeriod = Setting(
        "sweeps.retention.period",
        .duration(Self.periods),
        default: "1h",
        help: "How often what need not be kept any longer is removed"
    )
    let sweepBatch = Setting(
        "sweeps.batch",
        .integer(1...10_000),
        default: "100",
        help: "How many rows a sweep checks in one go"
    )
    let sealedCardRetention = Setting(
        "dead-letters.sealed-card-retention",
        .duration(.zero ... .seconds(7_776_000)),
        default: "24h",
        help: "How long the dead letter of an authorize keeps its sealed card, and can be replayed, at most"
    )
    let allowsPlaintext = Setting(
        "allow-plaintext",
        .boolean,
        default: "false",
        help: "Talk to broker, database and bank on other machines without TLS, or without checking who they are"
    )
    let logLevel = Setting(
        "log.level",
        .logLevel,
        default: "info",
        help: "The least severe level that is logged"
    )
    let logFormat = Setting(
        "log.format",
        .logFormat,
        default: "logfmt",
        help: "How a line of the log is written"
    )
    let logOverflow = Setting(
        "log.overflow",
        .logOverflow,
        default: "drop",
        help: "What becomes of log lines that are not read fast enough: dropped and counted, or work waits for them"
    )
}

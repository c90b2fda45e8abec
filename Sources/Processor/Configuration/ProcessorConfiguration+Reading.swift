import AMQP
import ConfigurationText
import Core
import Postgres

extension ProcessorConfiguration {
    /// Used where broker, database and bank are all on loopback and no secret is set.
    static let developmentSecret = Secret("development-only-fingerprint-secret")

    /// From the options of a command, the environment and the `.env` of the working directory.
    init(options: ConfigurationOptions) throws(ConfigurationError) {
        try self.init(.current(commandLine: options.given))
    }

    /// - Throws: all problems at once.
    init(_ inputs: ConfigurationInputs) throws(ConfigurationError) {
        var reader = SettingReader(inputs)
        var checks = ConfigurationChecks()

        let broker = Self.broker(&reader, &checks)
        let prefix = reader.read(Settings.prefix)
        let partitions = reader.read(Settings.partitions)
        let prefetch = reader.read(Settings.prefetch)
        let declares = reader.read(Settings.declare)
        let management = reader.read(Settings.managementURL)
        let database = reader.read(Settings.database)
        let migrates = reader.read(Settings.migrate)
        let statementTimeout = reader.read(Settings.statementTimeout)
        let bank = reader.read(Settings.bankURL)
        let limits = Self.limits(&reader)
        let bankConcurrency = reader.read(Settings.bankConcurrency)
        let bankTLS = Self.bankTLS(&reader, &checks, bank)
        let elsewhere = ConfigurationChecks.elsewhere(broker: broker, database: database, bank: bank)
        checks.plaintext(&reader, broker: broker, database: database, bank: bank, management: management)
        let secret = checks.secret(&reader, elsewhere: elsewhere)
        let merchants = reader.read(Settings.merchantsFile)
        let previousSecrets = reader.read(Settings.previousSecrets)
        let cards = checks.cards(&reader, elsewhere: elsewhere)
        let admin = Self.admin(&reader, &checks)
        let keyFiles = [
            inputs.filePath.map { SecretFile(".env", $0) },
            broker?.keyFile.map { SecretFile(Settings.keyFile.descriptor.name, $0) },
            bankTLS.keyFile.map { SecretFile(Settings.bankKeyFile.descriptor.name, $0) },
            admin?.tls.map { SecretFile(Settings.adminKeyFile.descriptor.name, $0.keyFile) },
        ]
        let cardFiles = cards?.files.files.map { SecretFile(Settings.cardKeyFiles.descriptor.name, $0.path) } ?? []
        let secretFiles = keyFiles.compactMap(\.self) + cardFiles + reader.secretFiles
        checks.files(secretFiles, &reader, elsewhere: elsewhere)
        let grace = reader.read(Settings.shutdownGrace)
        let sweeps = Self.sweeps(&reader)
        let logLevel = reader.read(Settings.logLevel)
        let logFormat = reader.read(Settings.logFormat)
        let logOverflow = reader.read(Settings.logOverflow)

        guard reader.problems.isEmpty, let broker, let prefix, let partitions, let prefetch, let declares, var database,
            let migrates, let statementTimeout, let bank, let limits, let bankConcurrency, let secret, let cards,
            let admin,
            let grace, let sweeps, let logLevel, let logFormat,
            let logOverflow
        else { throw ConfigurationError(problems: reader.problems) }
        self.broker = broker
        names = BrokerNames(prefix: prefix)
        self.partitions = partitions
        self.prefetch = UInt16(clamping: prefetch)
        declaresTopology = declares
        database.statementTimeout = statementTimeout
        self.management = management
        self.database = database
        migratesDatabase = migrates
        self.bank = bank
        self.limits = limits
        self.bankConcurrency = bankConcurrency
        self.bankTLS = bankTLS
        self.secretFiles = secretFiles
        fingerprintSecret = secret
        self.previousSecrets = previousSecrets ?? []
        self.cards = cards
        self.merchants = merchants
        self.admin = admin
        shutdownGrace = grace
        self.sweeps = sweeps
        self.logLevel = logLevel
        self.logFormat = logFormat
        self.logOverflow = logOverflow
        let places = Dictionary(uniqueKeysWithValues: Settings.all.enumerated().map { ($1.name, $0) })
        effective = reader.effective.sorted { (places[$0.name] ?? .max) < (places[$1.name] ?? .max) }
        warnings = checks.warnings + inputs.file.warnings
    }

    private static func broker(
        _ reader: inout SettingReader,
        _ checks: inout ConfigurationChecks
    ) -> AMQPConfiguration? {
        let url = reader.read(Settings.brokerURL)
        let caFile = reader.read(Settings.caFile)
        let certFile = reader.read(Settings.certFile)
        let keyFile = reader.read(Settings.keyFile)
        Self.checkPair(&reader, certFile, Settings.certFile, keyFile, Settings.keyFile)
        guard var broker = url else { return nil }
        if !broker.usesTLS, caFile != nil || certFile != nil || keyFile != nil {
            checks.warn(Settings.brokerURL.descriptor, "begins with amqp://, so the TLS files have no effect")
        }
        broker.caFile = caFile
        broker.certFile = certFile
        broker.keyFile = keyFile
        return broker
    }

    private static func bankTLS(
        _ reader: inout SettingReader,
        _ checks: inout ConfigurationChecks,
        _ bank: BankAddress?
    ) -> BankTLS {
        let tls = BankTLS(
            caFile: reader.read(Settings.bankCAFile),
            certFile: reader.read(Settings.bankCertFile),
            keyFile: reader.read(Settings.bankKeyFile)
        )
        checkPair(&reader, tls.certFile, Settings.bankCertFile, tls.keyFile, Settings.bankKeyFile)
        if bank?.usesTLS == false, tls != BankTLS() {
            checks.warn(Settings.bankURL.descriptor, "begins with http://, so the TLS files have no effect")
        }
        return tls
    }

    /// A certificate is of no use without its key, nor the other way round.
    private static func checkPair(
        _ reader: inout SettingReader,
        _ certFile: String?,
        _ cert: Setting<String>,
        _ keyFile: String?,
        _ key: Setting<String>
    ) {
        if certFile != nil, keyFile == nil, !reader.isGiven(key) {
            reader.report(key.descriptor, "is needed beside \(cert.descriptor.title)")
        }
        if keyFile != nil, certFile == nil, !reader.isGiven(cert) {
            reader.report(cert.descriptor, "is needed beside \(key.descriptor.title)")
        }
    }

    /// Within the lease even a request that was given up has ended.
    private static func limits(_ reader: inout SettingReader) -> HandlerLimits? {
        let timeout = reader.read(Settings.bankTimeout)
        let worstCase = reader.read(Settings.bankWorstCase)
        let isGiven = reader.isGiven(Settings.lease)
        let given = reader.read(Settings.lease)
        let busyAfter = reader.read(Settings.busyAfter)
        guard let timeout, let worstCase else { return nil }
        let lease = isGiven ? given : timeout + worstCase + .seconds(5)
        if let given, given < timeout + worstCase {
            let least = DurationText.text(of: timeout + worstCase)
            reader.report(
                Settings.lease.descriptor,
                "is too short; allowed: at least bank.timeout + bank.worst-case, which is \(least)"
            )
        }
        guard let lease, let busyAfter else { return nil }
        if !isGiven { reader.note(Settings.lease.descriptor, shown: DurationText.text(of: lease), .default) }
        return HandlerLimits(bankTimeout: timeout, bankWorstCase: worstCase, lease: lease, busyAfter: busyAfter)
    }

    private static func admin(
        _ reader: inout SettingReader,
        _ checks: inout ConfigurationChecks
    ) -> AdminConfiguration? {
        let host = reader.read(Settings.adminHost)
        let port = reader.read(Settings.adminPort)
        let token = reader.read(Settings.adminToken)
        let tokens = reader.read(Settings.adminTokensFile) ?? []
        guard let host, let port else { return nil }
        if token != nil, tokens.contains(where: { $0.name == AdminToken.admin }) {
            let name = AdminToken.admin
            reader.report(Settings.adminTokensFile.descriptor, "has a token named \(name), as admin.token is")
        }
        let hasToken = reader.isGiven(Settings.adminToken) || reader.isGiven(Settings.adminTokensFile)
        if !hasToken, !LoopbackHost.matches(host) {
            checks.warn(
                Settings.adminHost.descriptor,
                "is not loopback, but without \(Settings.adminToken.descriptor.title) only loopback peers are served"
            )
        }
        let tls = adminTLS(&reader)
        if hasToken, !LoopbackHost.matches(host), tls == nil, !reader.isGiven(Settings.adminCertFile) {
            checks.warn(
                Settings.adminHost.descriptor,
                "is not loopback, and without \(Settings.adminCertFile.descriptor.title) tokens go over the network in clear"
            )
        }
        return AdminConfiguration(host: host, port: port, token: token, tokens: tokens, tls: tls)
    }

    private static func adminTLS(_ reader: inout SettingReader) -> AdminTLS? {
        let certFile = reader.read(Settings.adminCertFile)
        let keyFile = reader.read(Settings.adminKeyFile)
        checkPair(&reader, certFile, Settings.adminCertFile, keyFile, Settings.adminKeyFile)
        guard let certFile, let keyFile else { return nil }
        let tls = AdminTLS(certFile: certFile, keyFile: keyFile)
        do throws(AdminCertificateProblem) {
            _ = try tls.context()
            return tls
        } catch {
            reader.report(error.setting, error.description)
            return nil
        }
    }

    private static func sweeps(_ reader: inout SettingReader) -> SweepConfiguration? {
        let reconcile = reader.read(Settings.reconcilePeriod)
        let expire = reader.read(Settings.expirePeriod)
        let grace = reader.read(Settings.expireGrace)
        let voids = reader.read(Settings.expireVoid)
        let retention = reader.read(Settings.retentionPeriod)
        let batch = reader.read(Settings.batch)
        let sealedCards = reader.read(Settings.sealedCardRetention)
        guard let reconcile, let expire, let grace, let voids, let retention, let batch, let sealedCards else {
            return nil
        }
        return SweepConfiguration(
            reconcilePeriod: reconcile,
            expirePeriod: expire,
            expireGrace: grace,
            voidsExpired: voids,
            retentionPeriod: retention,
            batch: batch,
            sealedCardRetention: sealedCards
        )
    }
}

import AMQP
import ConfigurationReading
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
        let settings = Settings.table
        var reader = SettingReader(inputs, Settings.entries)
        var checks = ConfigurationChecks()

        let broker = Self.broker(&reader, &checks)
        var database = reader.read(settings.database)
        let bank = reader.read(settings.bank)
        let limits = Self.limits(&reader)
        let bankTLS = Self.bankTLS(&reader, &checks, bank)
        let elsewhere = ConfigurationChecks.elsewhere(broker: broker, database: database, bank: bank)
        checks.plaintext(&reader, broker: broker, database: database, bank: bank)
        let secret = checks.secret(&reader, elsewhere: elsewhere)
        let cards = checks.cards(&reader, elsewhere: elsewhere)
        let admin = Self.admin(&reader, &checks)
        let keyFiles = [
            inputs.filePath.map { SecretFile(".env", $0) },
            broker?.keyFile.map { SecretFile(settings.brokerKeyFile.descriptor.name, $0) },
            bankTLS.keyFile.map { SecretFile(settings.bankKeyFile.descriptor.name, $0) },
            admin?.tls.map { SecretFile(settings.adminKeyFile.descriptor.name, $0.keyFile) },
        ]
        let cardFiles = cards?.files.files.map { SecretFile(settings.cardKeyFiles.descriptor.name, $0.path) } ?? []
        secretFiles = keyFiles.compactMap(\.self) + cardFiles + reader.secretFiles
        checks.files(secretFiles, &reader, elsewhere: elsewhere)
        if let timeout = reader.read(settings.statementTimeout) { database?.statementTimeout = timeout }

        guard reader.problems.isEmpty, let broker, let database, let limits, let secret, let cards, let admin else {
            throw ConfigurationError(problems: reader.problems)
        }
        values = reader.values
        self.broker = broker
        self.database = database
        self.bankTLS = bankTLS
        self.limits = limits
        fingerprintSecret = secret
        self.cards = cards
        self.admin = admin
        effective = reader.effective
        warnings = checks.warnings + inputs.file.warnings
    }

    private static func broker(
        _ reader: inout SettingReader,
        _ checks: inout ConfigurationChecks
    ) -> AMQPConfiguration? {
        let url = reader.read(Settings.table.broker)
        let caFile = reader.read(Settings.table.brokerCAFile)
        let certFile = reader.read(Settings.table.brokerCertFile)
        let keyFile = reader.read(Settings.table.brokerKeyFile)
        Self.checkPair(&reader, certFile, Settings.table.brokerCertFile, keyFile, Settings.table.brokerKeyFile)
        guard var broker = url else { return nil }
        if !broker.usesTLS, caFile != nil || certFile != nil || keyFile != nil {
            checks.warn(Settings.table.broker.descriptor, "begins with amqp://, so the TLS files have no effect")
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
            caFile: reader.read(Settings.table.bankCAFile),
            certFile: reader.read(Settings.table.bankCertFile),
            keyFile: reader.read(Settings.table.bankKeyFile)
        )
        checkPair(&reader, tls.certFile, Settings.table.bankCertFile, tls.keyFile, Settings.table.bankKeyFile)
        if bank?.usesTLS == false, tls != BankTLS() {
            checks.warn(Settings.table.bank.descriptor, "begins with http://, so the TLS files have no effect")
        }
        return tls
    }

    /// A certificate is of no use without its key, nor the other way round.
    private static func checkPair(
        _ reader: inout SettingReader,
        _ certFile: String?,
        _ cert: Setting<String?>,
        _ keyFile: String?,
        _ key: Setting<String?>
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
        let timeout = reader.read(Settings.table.bankTimeout)
        let worstCase = reader.read(Settings.table.bankWorstCase)
        let isGiven = reader.isGiven(Settings.table.lease)
        let given = reader.read(Settings.table.lease)
        let busyAfter = reader.read(Settings.table.busyAfter)
        guard let timeout, let worstCase else { return nil }
        let lease = isGiven ? given : timeout + worstCase + .seconds(5)
        if let given, given < timeout + worstCase {
            let least = DurationText.text(of: timeout + worstCase)
            reader.report(
                Settings.table.lease.descriptor,
                "is too short; allowed: at least bank.timeout + bank.worst-case, which is \(least)"
            )
        }
        guard let lease, let busyAfter else { return nil }
        if !isGiven { reader.note(Settings.table.lease.descriptor, shown: DurationText.text(of: lease)) }
        return HandlerLimits(bankTimeout: timeout, bankWorstCase: worstCase, lease: lease, busyAfter: busyAfter)
    }

    private static func admin(
        _ reader: inout SettingReader,
        _ checks: inout ConfigurationChecks
    ) -> AdminConfiguration? {
        let host = reader.read(Settings.table.adminHost)
        let port = reader.read(Settings.table.adminPort)
        let token = reader.read(Settings.table.adminToken)
        let tokens = reader.read(Settings.table.adminTokens) ?? []
        guard let host, let port else { return nil }
        if token != nil, tokens.contains(where: { $0.name == AdminToken.admin }) {
            let name = AdminToken.admin
            reader.report(Settings.table.adminTokens.descriptor, "has a token named \(name), as admin.token is")
        }
        let hasToken = reader.isGiven(Settings.table.adminToken) || reader.isGiven(Settings.table.adminTokens)
        if !hasToken, !LoopbackHost.matches(host) {
            checks.warn(
                Settings.table.adminHost.descriptor,
                "is not loopback, but without \(Settings.table.adminToken.descriptor.title) only loopback peers are served"
            )
        }
        let tls = adminTLS(&reader)
        if hasToken, !LoopbackHost.matches(host), tls == nil, !reader.isGiven(Settings.table.adminCertFile) {
            checks.warn(
                Settings.table.adminHost.descriptor,
                "is not loopback, and without \(Settings.table.adminCertFile.descriptor.title) tokens go over the network in clear"
            )
        }
        return AdminConfiguration(host: host, port: port, token: token, tokens: tokens, tls: tls)
    }

    private static func adminTLS(_ reader: inout SettingReader) -> AdminTLS? {
        let certFile = reader.read(Settings.table.adminCertFile)
        let keyFile = reader.read(Settings.table.adminKeyFile)
        checkPair(&reader, certFile, Settings.table.adminCertFile, keyFile, Settings.table.adminKeyFile)
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
}

import ArgumentParser

/// Every key of the configuration as an option of a command.
///
/// The texts are checked with those of the other sources, so that all problems come out together.
struct ConfigurationOptions: ParsableArguments {
    /// Answered before anything is parsed.
    @Flag(help: "List the options of the configuration, and exit.")
    var helpConfiguration = false
    @Option(Settings.brokerURL) var brokerURL: String?
    @Option(Settings.prefix) var prefix: String?
    @Option(Settings.partitions) var partitions: String?
    @Option(Settings.prefetch) var prefetch: String?
    @Option(Settings.declare) var declare: String?
    @Option(Settings.managementURL) var managementURL: String?
    @Option(Settings.caFile) var caFile: String?
    @Option(Settings.certFile) var certFile: String?
    @Option(Settings.keyFile) var keyFile: String?
    @Option(Settings.database) var database: String?
    @Option(Settings.migrate) var migrate: String?
    @Option(Settings.statementTimeout) var statementTimeout: String?
    @Option(Settings.bankURL) var bankURL: String?
    @Option(Settings.bankTimeout) var bankTimeout: String?
    @Option(Settings.bankWorstCase) var bankWorstCase: String?
    @Option(Settings.bankConcurrency) var bankConcurrency: String?
    @Option(Settings.bankCAFile) var bankCAFile: String?
    @Option(Settings.bankCertFile) var bankCertFile: String?
    @Option(Settings.bankKeyFile) var bankKeyFile: String?
    @Option(Settings.allowPlaintext) var allowPlaintext: String?
    @Option(Settings.fingerprintSecret) var fingerprintSecret: String?
    @Option(Settings.previousSecrets) var previousSecrets: String?
    @Option(Settings.cardKeyFiles) var cardKeyFiles: String?
    @Option(Settings.acceptPlainCards) var acceptPlainCards: String?
    @Option(Settings.merchantsFile) var merchantsFile: String?
    @Option(Settings.lease) var lease: String?
    @Option(Settings.busyAfter) var busyAfter: String?
    @Option(Settings.adminHost) var adminHost: String?
    @Option(Settings.adminPort) var adminPort: String?
    @Option(Settings.adminToken) var adminToken: String?
    @Option(Settings.adminTokensFile) var adminTokensFile: String?
    @Option(Settings.adminCertFile) var adminCertFile: String?
    @Option(Settings.adminKeyFile) var adminKeyFile: String?
    @Option(Settings.shutdownGrace) var shutdownGrace: String?
    @Option(Settings.reconcilePeriod) var reconcilePeriod: String?
    @Option(Settings.expirePeriod) var expirePeriod: String?
    @Option(Settings.expireGrace) var expireGrace: String?
    @Option(Settings.expireVoid) var expireVoid: String?
    @Option(Settings.retentionPeriod) var retentionPeriod: String?
    @Option(Settings.batch) var batch: String?
    @Option(Settings.sealedCardRetention) var sealedCardRetention: String?
    @Option(Settings.logLevel) var logLevel: String?
    @Option(Settings.logFormat) var logFormat: String?
    @Option(Settings.logOverflow) var logOverflow: String?

    /// What stood on the command line, by the name of the setting.
    var given: [String: String] {
        let texts = [
            (Settings.brokerURL.descriptor, brokerURL),
            (Settings.prefix.descriptor, prefix),
            (Settings.partitions.descriptor, partitions),
            (Settings.prefetch.descriptor, prefetch),
            (Settings.declare.descriptor, declare),
            (Settings.managementURL.descriptor, managementURL),
            (Settings.caFile.descriptor, caFile),
            (Settings.certFile.descriptor, certFile),
            (Settings.keyFile.descriptor, keyFile),
            (Settings.database.descriptor, database),
            (Settings.migrate.descriptor, migrate),
            (Settings.statementTimeout.descriptor, statementTimeout),
            (Settings.bankURL.descriptor, bankURL),
            (Settings.bankTimeout.descriptor, bankTimeout),
            (Settings.bankWorstCase.descriptor, bankWorstCase),
            (Settings.bankConcurrency.descriptor, bankConcurrency),
            (Settings.bankCAFile.descriptor, bankCAFile),
            (Settings.bankCertFile.descriptor, bankCertFile),
            (Settings.bankKeyFile.descriptor, bankKeyFile),
            (Settings.allowPlaintext.descriptor, allowPlaintext),
            (Settings.fingerprintSecret.descriptor, fingerprintSecret),
            (Settings.previousSecrets.descriptor, previousSecrets),
            (Settings.cardKeyFiles.descriptor, cardKeyFiles),
            (Settings.acceptPlainCards.descriptor, acceptPlainCards),
            (Settings.merchantsFile.descriptor, merchantsFile),
            (Settings.lease.descriptor, lease),
            (Settings.busyAfter.descriptor, busyAfter),
            (Settings.adminHost.descriptor, adminHost),
            (Settings.adminPort.descriptor, adminPort),
            (Settings.adminToken.descriptor, adminToken),
            (Settings.adminTokensFile.descriptor, adminTokensFile),
            (Settings.adminCertFile.descriptor, adminCertFile),
            (Settings.adminKeyFile.descriptor, adminKeyFile),
            (Settings.shutdownGrace.descriptor, shutdownGrace),
            (Settings.reconcilePeriod.descriptor, reconcilePeriod),
            (Settings.expirePeriod.descriptor, expirePeriod),
            (Settings.expireGrace.descriptor, expireGrace),
            (Settings.expireVoid.descriptor, expireVoid),
            (Settings.retentionPeriod.descriptor, retentionPeriod),
            (Settings.batch.descriptor, batch),
            (Settings.sealedCardRetention.descriptor, sealedCardRetention),
            (Settings.logLevel.descriptor, logLevel),
            (Settings.logFormat.descriptor, logFormat),
            (Settings.logOverflow.descriptor, logOverflow),
        ]
        return texts.reduce(into: [:]) { given, text in given[text.0.name] = text.1 }
    }
}

extension Option where Value == String? {
    fileprivate init(_ setting: Setting<some Sendable>) {
        let descriptor = setting.descriptor
        let usual = descriptor.defaultText.map(descriptor.redact) ?? descriptor.defaultNote
        self.init(
            name: .customLong(descriptor.option),
            help: ArgumentHelp(
                descriptor.help + (usual.map { " (default: \($0))" } ?? ""),
                valueName: "value",
                visibility: .hidden
            )
        )
    }
}

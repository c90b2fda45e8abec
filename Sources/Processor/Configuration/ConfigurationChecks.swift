import AMQP
import Postgres

/// What holds between several settings, and what deserves a warning.
struct ConfigurationChecks {
    private(set) var warnings: [String] = []

    mutating func warn(_ setting: SettingDescriptor, _ text: String) {
        warnings.append("\(setting.title): \(text)")
    }

    /// `fingerprint.secret`, or the development value where everything is on loopback (docs/contract.md#configuration).
    ///
    /// An address that could not be read counts as neither: its own problem is reported.
    mutating func secret(
        _ reader: inout SettingReader,
        broker: AMQPConfiguration?,
        database: PostgresConfiguration?,
        bank: BankAddress?
    ) -> Secret? {
        let setting = Settings.fingerprintSecret
        let secret = reader.read(setting)
        let elsewhere = [
            broker.map { $0.addresses.allSatisfy { LoopbackHost.matches($0.host) } } == false
                ? Settings.brokerURL.descriptor.name : nil,
            database?.isLoopbackOnly == false ? Settings.database.descriptor.name : nil,
            bank?.isLoopback == false ? Settings.bankURL.descriptor.name : nil,
        ].compactMap(\.self)
        if elsewhere.isEmpty {
            if let secret { return secret }
            guard !reader.isGiven(setting) else { return nil }
            reader.note(setting.descriptor, shown: Redaction.mask, .default)
            warn(setting.descriptor, "is not set; a fixed value is used, which is for development only")
            return ProcessorConfiguration.developmentSecret
        }
        let places = elsewhere.joined(separator: ", ")
        if !reader.isGiven(setting) {
            let allowed = setting.form.allowed
            reader.report(setting.descriptor, "is required, for not on loopback: \(places); allowed: \(allowed)")
        } else if secret == ProcessorConfiguration.developmentSecret {
            reader.report(setting.descriptor, "is the development value, yet not on loopback: \(places)")
        }
        return secret
    }
}

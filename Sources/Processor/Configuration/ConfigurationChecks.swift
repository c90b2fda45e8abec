import AMQP
import ConfigurationReading
import ConfigurationText
import Glibc
import Postgres

/// What holds between several settings, and what deserves a warning.
struct ConfigurationChecks {
    private(set) var warnings: [String] = []

    mutating func warn(_ setting: SettingDescriptor, _ text: String) {
        warnings.append("\(setting.title): \(text)")
    }

    /// The settings that lead to another machine.
    ///
    /// An address that could not be read leads nowhere: its own problem is reported.
    static func elsewhere(
        broker: AMQPConfiguration?,
        database: PostgresConfiguration?,
        bank: BankAddress?
    ) -> [String] {
        [
            broker.map { $0.addresses.allSatisfy { LoopbackHost.matches($0.host) } } == false
                ? Settings.table.broker.descriptor.name : nil,
            database?.isLoopbackOnly == false ? Settings.table.database.descriptor.name : nil,
            bank?.isLoopback == false ? Settings.table.bank.descriptor.name : nil,
        ].compactMap(\.self)
    }

    /// `fingerprint.secret`, or the development value where everything is on loopback (docs/contract.md#configuration).
    mutating func secret(_ reader: inout SettingReader, elsewhere: [String]) -> Secret? {
        let setting = Settings.table.fingerprintSecret
        let secret = reader.read(setting)
        if elsewhere.isEmpty {
            if let secret { return secret }
            guard !reader.isGiven(setting) else { return nil }
            reader.note(setting.descriptor, shown: Redaction.mask)
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

    /// The keys of sealed cards, and whether plain ones are taken: only where they leave this machine nowhere
    /// (docs/contract.md#sealed-cards).
    mutating func cards(_ reader: inout SettingReader, elsewhere: [String]) -> CardsConfiguration? {
        let (files, plain) = (Settings.table.cardKeyFiles, Settings.table.acceptsPlainCards)
        let keyFiles = reader.read(files)
        let given = reader.read(plain)
        if reader.isGiven(files), keyFiles == nil || reader.isGiven(plain) && given == nil { return nil }
        let acceptsPlain = given ?? elsewhere.isEmpty
        if !reader.isGiven(plain) { reader.note(plain.descriptor, shown: "\(acceptsPlain)") }
        if !acceptsPlain, !reader.isGiven(files) {
            warn(files.descriptor, "is not set, and plain cards are not taken: every authorize will be rejected")
        }
        if acceptsPlain, !elsewhere.isEmpty {
            warn(
                plain.descriptor,
                "is true, so that card numbers and CVVs may rest on the disks of: \(elsewhere.joined(separator: ", "))"
            )
        }
        return CardsConfiguration(files: keyFiles ?? .none, acceptsPlain: acceptsPlain)
    }

    /// Beyond this machine everything goes over TLS, to somebody who has shown who he is, unless `allow-plaintext` names the risk.
    mutating func plaintext(
        _ reader: inout SettingReader,
        broker: AMQPConfiguration?,
        database: PostgresConfiguration?,
        bank: BankAddress?
    ) {
        let isAllowed = reader.read(Settings.table.allowsPlaintext) ?? false
        var open: [(SettingDescriptor, String)] = []
        if let broker, !broker.usesTLS, !broker.addresses.allSatisfy({ LoopbackHost.matches($0.host) }) {
            open.append((Settings.table.broker.descriptor, "amqps://"))
        }
        if let database, !database.isLoopbackOnly, !database.verifiesServer {
            open.append((Settings.table.database.descriptor, "sslmode=verify-full"))
        }
        if let bank, !bank.isLoopback, !bank.usesTLS { open.append((Settings.table.bank.descriptor, "https://")) }
        if let address = reader.read(Settings.table.management)?.address, !address.isLoopback, !address.usesTLS {
            open.append((Settings.table.management.descriptor, "https://"))
        }
        for (setting, way) in open {
            if isAllowed {
                warn(
                    setting,
                    "leads to another machine without \(way): whoever is on the way can read and change what is sent"
                )
            } else {
                let name = Settings.table.allowsPlaintext.descriptor.title
                reader.report(setting, "leads to another machine without \(way); use it, or set \(name) to true")
            }
        }
    }

    /// Files that others may read are no place for a secret. On this machine alone that is only said.
    mutating func files(_ files: [SecretFile], _ reader: inout SettingReader, elsewhere: [String]) {
        for file in files where file.isOpenToOthers {
            let text = "\(file.name): \(file.path) can be read by every user of this machine; chmod 600"
            if elsewhere.isEmpty { warnings.append(text) } else { reader.report(text) }
        }
    }
}

extension SecretFile {
    /// Readable or writable beyond its owner and group.
    fileprivate var isOpenToOthers: Bool {
        var status = stat()
        return stat(path, &status) == 0 && status.st_mode & 0o006 != 0
    }
}

extension DotEnvFile {
    /// Names that look like keys of ours and are none: most likely misspelt, and without effect.
    var warnings: [String] {
        let known = Settings.all.map(\.variable) + Settings.all.filter(\.isSecret).map(\.fileVariable)
        let prefixes = Set(Settings.all.map { "\($0.group.uppercased())_" })
        return variables.keys.sorted()
            .filter { name in !known.contains(name) && prefixes.contains { name.hasPrefix($0) } }
            .map { name in
                let nearest = known.min { Self.distance($0, name) < Self.distance($1, name) }
                let hint = nearest.flatMap { Self.distance($0, name) <= 3 ? "; did you mean \($0)?" : nil } ?? ""
                return ".env: \(name) is not a key of the processor and has no effect\(hint)"
            }
    }

    /// How many single characters must be put in, taken out or replaced (Levenshtein).
    private static func distance(_ left: String, _ right: String) -> Int {
        let right = Array(right.utf8)
        var row = Array(0...right.count)
        for (i, a) in left.utf8.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, b) in right.enumerated() {
                let replaced = diagonal + (a == b ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
            }
        }
        return row[right.count]
    }
}

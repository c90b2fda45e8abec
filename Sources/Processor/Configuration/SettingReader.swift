import Configuration
import ConfigurationText
import FoundationEssentials
import Glibc
import Synchronization

/// Looks settings up, the strongest source first, and collects what is wrong with them.
struct SettingReader {
    private(set) var problems: [String]
    private(set) var effective: [EffectiveSetting] = []
    /// Those that secrets were read from.
    let secretFiles: [SecretFile]
    private let reader: ConfigReader
    private let origin = OriginReporter()

    init(_ inputs: ConfigurationInputs) {
        var secrets = SecretFiles()
        let environment = secrets.resolved(inputs.environment)
        let file = secrets.resolved(inputs.file.variables)
        problems = (inputs.fileProblem.map { [$0] } ?? []) + inputs.file.problems + secrets.problems
        secretFiles = secrets.files
        // An empty value counts as not set (docs/contract.md#configuration), so it never hides a weaker source.
        let commandLine = inputs.commandLine.filter { !$0.value.isEmpty }.map { name, text in
            (AbsoluteConfigKey(name.split(separator: ".").map(String.init)), ConfigValue(.string(text), isSecret: true))
        }
        reader = ConfigReader(
            providers: [
                InMemoryProvider(
                    name: SettingSource.commandLine.rawValue,
                    values: Dictionary(uniqueKeysWithValues: commandLine)
                ),
                EnvironmentVariablesProvider(
                    environmentVariables: environment.filter { !$0.value.isEmpty },
                    secretsSpecifier: .all
                ),
                EnvironmentVariablesProvider(
                    environmentVariables: file.filter { !$0.value.isEmpty },
                    secretsSpecifier: .all
                ),
            ],
            accessReporter: origin
        )
    }

    mutating func report(_ setting: SettingDescriptor, _ problem: String) {
        problems.append("\(setting.title): \(problem)")
    }

    mutating func report(_ line: String) { problems.append(line) }

    /// Whether any source but the default has a value, usable or not.
    func isGiven(_ setting: Setting<some Sendable>) -> Bool {
        reader.string(forKey: ConfigKey(setting.descriptor.name), isSecret: true) != nil
    }

    /// `nil` where it has no value, or none that can be used.
    mutating func read<Value>(_ setting: Setting<Value>) -> Value? {
        let descriptor = setting.descriptor
        let given = reader.string(forKey: ConfigKey(descriptor.name), isSecret: true)
        guard let text = given ?? descriptor.defaultText else {
            note(descriptor, shown: nil, .default)
            return nil
        }
        do throws(ValueProblem) {
            let value = try setting.form.parse(text)
            note(descriptor, shown: descriptor.redact(text), given == nil ? .default : origin.last)
            return value
        } catch {
            report(descriptor, "\(error); allowed: \(descriptor.allowed)")
            return nil
        }
    }

    /// What is in force for a setting whose default is computed.
    mutating func note(_ setting: SettingDescriptor, shown: String?, _ source: SettingSource) {
        effective.removeAll { $0.name == setting.name }
        effective.append(EffectiveSetting(name: setting.name, shown: shown, source: source))
    }
}

/// Remembers which provider answered last.
private final class OriginReporter: AccessReporter {
    private let source = Mutex(SettingSource.default)

    var last: SettingSource { source.withLock { $0 } }

    func report(_ event: AccessEvent) {
        // Providers are asked in order, so that the place of the one that answered names its source.
        let place = event.providerResults.firstIndex { result in
            guard case .success(let lookup) = result.result else { return false }
            return lookup.value != nil
        }
        source.withLock { $0 = place.map { SettingSource.allCases[$0] } ?? .default }
    }
}

/// The texts from which a configuration is read, the strongest first.
struct ConfigurationInputs: Sendable {
    /// By the name of the setting: `amqp.url`.
    var commandLine: [String: String] = [:]
    /// By the name of the variable: `AMQP_URL`.
    var environment: [String: String] = [:]
    var file = DotEnvFile()
    /// Where it was read from.
    var filePath: String?
    /// What kept a present file from being read.
    var fileProblem: String?

    /// This process's environment, and the `.env` of its working directory.
    static func current(commandLine: [String: String]) -> ConfigurationInputs {
        var inputs = ConfigurationInputs(
            commandLine: commandLine,
            environment: ProcessInfo.processInfo.environment
        )
        guard access(".env", F_OK) == 0 else { return inputs }
        if let data = FileManager.default.contents(atPath: ".env"), let text = String(validating: data, as: UTF8.self) {
            inputs.file = DotEnvFile(text)
            inputs.filePath = ".env"
        } else {
            inputs.fileProblem = ".env: cannot be read as UTF-8 text"
        }
        return inputs
    }
}

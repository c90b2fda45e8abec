import Configuration
import ConfigurationText
import Synchronization

/// Reads every setting of a table, the strongest source first, and collects what is wrong with them.
package struct SettingReader {
    /// All that could be read.
    package private(set) var values = SettingValues()
    /// In the order of the table.
    package private(set) var effective: [EffectiveSetting] = []
    /// Those that secrets were read from.
    package let secretFiles: [SecretFile]
    /// By the place of the setting in the table.
    private var found: [(place: Int, text: String)]
    private let places: [String: Int]
    private let given: Set<String>

    /// - Parameter entries: those of the program's table.
    package init(_ inputs: ConfigurationInputs, _ entries: [any SettingEntry]) {
        let descriptors = entries.map(\.descriptor)
        let sources = SettingSources(inputs, secrets: descriptors.filter(\.isSecret))
        secretFiles = sources.secretFiles
        found = ((inputs.fileProblem.map { [$0] } ?? []) + inputs.file.problems + sources.problems).map { (-1, $0) }
        places = Dictionary(uniqueKeysWithValues: descriptors.enumerated().map { ($1.name, $0) })
        var given: Set<String> = []
        for (place, entry) in entries.enumerated() {
            let descriptor = entry.descriptor
            let text = sources.text(of: descriptor)
            if text != nil { given.insert(descriptor.name) }
            var shown = (text?.text ?? descriptor.defaultText).map(descriptor.redact)
            do throws(ValueProblem) {
                try entry.read(text?.text, into: &values)
            } catch {
                found.append((place, "\(descriptor.title): \(error); allowed: \(descriptor.allowed)"))
                shown = nil
            }
            effective.append(
                EffectiveSetting(name: descriptor.name, shown: shown, source: text?.source ?? .default)
            )
        }
        self.given = given
    }

    /// One line each, in the order of the table: what concerns a file before it, what concerns no setting after it.
    package var problems: [String] {
        found.enumerated().sorted { ($0.element.place, $0.offset) < ($1.element.place, $1.offset) }
            .map(\.element.text)
    }

    /// `nil` where it has no value that can be used, which is a problem already.
    package func read<Value>(_ setting: Setting<Value>) -> Value? { values[setting] }

    /// `nil` where it is not given, and where what is given cannot be used.
    package func read<Wrapped>(_ setting: Setting<Wrapped?>) -> Wrapped? { values[setting] ?? nil }

    /// Whether any source but the default has a value, usable or not.
    package func isGiven(_ setting: Setting<some Sendable>) -> Bool { given.contains(setting.descriptor.name) }

    package mutating func report(_ setting: SettingDescriptor, _ problem: String) {
        found.append((places[setting.name] ?? .max, "\(setting.title): \(problem)"))
    }

    package mutating func report(_ line: String) { found.append((.max, line)) }

    /// What is in force for a setting whose default is computed.
    package mutating func note(_ setting: SettingDescriptor, shown: String?) {
        guard let place = places[setting.name] else { return }
        effective[place] = EffectiveSetting(name: setting.name, shown: shown, source: .default)
    }
}

/// Where a value came from, the strongest first.
package enum SettingSource: String, Sendable, CaseIterable {
    case commandLine = "command line"
    case environment = "environment"
    case file = ".env"
    case `default` = "default"
}

/// The texts of settings. An empty one counts as not set (docs/contract.md#configuration), so it never hides a weaker source.
private struct SettingSources {
    /// One line each.
    let problems: [String]
    let secretFiles: [SecretFile]
    private let reader: ConfigReader
    private let origin = OriginReporter()

    init(_ inputs: ConfigurationInputs, secrets: [SettingDescriptor]) {
        var files = SecretFiles(secrets)
        let environment = files.resolved(inputs.environment)
        let file = files.resolved(inputs.file.variables)
        problems = files.problems
        secretFiles = files.files
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

    func text(of setting: SettingDescriptor) -> (text: String, source: SettingSource)? {
        reader.string(forKey: ConfigKey(setting.name), isSecret: true).map { ($0, origin.last) }
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

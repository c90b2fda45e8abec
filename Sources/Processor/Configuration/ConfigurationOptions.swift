import ArgumentParser
import ConfigurationReading

/// Every key of the table as an option of a command.
///
/// The texts are checked with those of the other sources, so that all problems come out together.
struct ConfigurationOptions: ParsableArguments {
    /// What stood on the command line, by the name of the setting.
    let given: [String: String]

    private static let flagKey = "help-configuration"

    init() { given = [:] }

    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: OptionKey.self)
        given = try Settings.all.reduce(into: [:]) { given, setting in
            let option = try container.decode(Option<String?>.self, forKey: OptionKey(setting.option))
            given[setting.name] = option.wrappedValue
        }
    }
}

/// ArgumentParser finds a command's options by reflection: here it finds an entry of the table where it expects a property.
extension ConfigurationOptions: CustomReflectable {
    var customMirror: Mirror {
        let flag = Flag(
            wrappedValue: false,
            name: .customLong(Self.flagKey),
            // Answered before anything is parsed.
            help: "List the options of the configuration, and exit."
        )
        let options = Settings.all.map { (label: $0.option as String?, value: Option($0) as Any) }
        return Mirror(self, children: [(label: Self.flagKey, value: flag)] + options)
    }
}

private struct OptionKey: CodingKey {
    let stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
}

extension Option where Value == String? {
    fileprivate init(_ setting: SettingDescriptor) {
        let usual = setting.defaultText.map(setting.redact) ?? setting.defaultNote
        self.init(
            name: .customLong(setting.option),
            help: ArgumentHelp(
                setting.help + (usual.map { " (default: \($0))" } ?? ""),
                valueName: "value",
                visibility: .hidden
            )
        )
    }
}

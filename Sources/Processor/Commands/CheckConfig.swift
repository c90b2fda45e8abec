import ArgumentParser
import Core
import Program

struct CheckConfig: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-config",
        abstract: "Checks the configuration and prints the effective values; connects to nothing."
    )

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(json ? configuration.checkJSON : configuration.checkText)
        for warning in configuration.warnings { StandardStream.error.print("processor: warning: \(warning)") }
    }
}

extension ProcessorConfiguration {
    /// `key = value  # where it came from`, a line each. A setting without a value is a comment.
    var checkText: String {
        effective.map { setting in
            guard let shown = setting.shown else { return "# \(setting.name) is not set" }
            return "\(setting.name) = \(shown)  # \(setting.source.rawValue)"
        }.joined(separator: "\n")
    }

    /// `{"settings":{"amqp.url":{"source":"default","value":"…"},…},"warnings":[…]}`.
    var checkJSON: String {
        let settings = effective.reduce(into: [:]) { settings, setting in
            settings[setting.name] = JSONValue.object([
                "source": .string(setting.source.rawValue), "value": .optional(setting.shown),
            ])
        }
        let report = JSONValue.object([
            "settings": .object(settings), "warnings": .array(warnings.map(JSONValue.string)),
        ])
        return String(decoding: report.encoded, as: UTF8.self)
    }
}

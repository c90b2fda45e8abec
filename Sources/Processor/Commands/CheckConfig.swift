import ArgumentParser
import ConfigurationReading
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

/// What ArgumentParser's help lacks: exit codes in each, and the configuration by itself.
enum HelpText {
    static let configurationFlag = "--help-configuration"

    private static let exitCodes = """
        EXIT CODES:
          0   done
          1   done with differences or failures, refused, or it does not exist
          64  wrong usage, or no consent; nothing was done
          69  the broker, the database, the bank or the admin port cannot be used
          70  internal error
          74  standard output cannot be written
          78  wrong configuration
        """

    /// - Parameter help: as ArgumentParser has made it.
    static func completed(_ help: String) -> String {
        guard help.contains("USAGE: "), !help.contains("EXIT CODES:") else { return help }
        return help + "\n\n" + exitCodes
    }

    /// Every key, with what it allows and its default.
    static var configuration: String {
        let lines = Settings.all.flatMap { setting in
            let usual = setting.defaultText.map(setting.redact) ?? setting.defaultNote ?? "none"
            return [
                "  --\(setting.option) <value>  (\(setting.variable), default: \(usual))", "      \(setting.help)",
            ]
        }
        return """
            Every key of the configuration is an option, a variable of the environment, or a line of .env in the working \
            directory. What was given on the command line wins, then the environment, then .env.

            CONFIGURATION:
            """ + "\n" + lines.joined(separator: "\n")
    }
}

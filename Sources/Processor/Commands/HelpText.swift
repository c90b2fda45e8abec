import ArgumentParser

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

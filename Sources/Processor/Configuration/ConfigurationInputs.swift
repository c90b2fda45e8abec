import ConfigurationText
import FoundationEssentials
import Glibc

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

package import ConfigurationText
import FoundationEssentials
import Glibc

/// The texts from which a configuration is read, the strongest first.
package struct ConfigurationInputs: Sendable {
    /// By the name of the setting: `amqp.url`.
    package var commandLine: [String: String]
    /// By the name of the variable: `AMQP_URL`.
    package var environment: [String: String]
    package var file: DotEnvFile
    /// Where it was read from.
    package var filePath: String?
    /// What kept a present file from being read.
    package var fileProblem: String?

    package init(
        commandLine: [String: String] = [:],
        environment: [String: String] = [:],
        file: DotEnvFile = DotEnvFile()
    ) {
        self.commandLine = commandLine
        self.environment = environment
        self.file = file
    }

    /// This process's environment, and the `.env` of its working directory.
    package static func current(commandLine: [String: String]) -> ConfigurationInputs {
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

/// Secrets that are kept in files of their own: `ADMIN_TOKEN_FILE` names the one of `admin.token` (docs/contract.md#secrets-in-files).
struct SecretFiles: Sendable {
    /// One line each.
    private(set) var problems: [String] = []
    /// The files that were read.
    private(set) var files: [SecretFile] = []
    private let settings: [SettingDescriptor]

    init(_ settings: [SettingDescriptor]) {
        self.settings = settings
    }

    /// - Parameter variables: of the environment, or of `.env`.
    /// - Returns: the same, with what the files say under the names of the secrets.
    mutating func resolved(_ variables: [String: String]) -> [String: String] {
        var resolved = variables
        for setting in settings {
            guard let path = variables[setting.fileVariable], !path.isEmpty else { continue }
            guard variables[setting.variable]?.isEmpty ?? true else {
                problems.append("\(setting.title): is given twice, by \(setting.fileVariable) too")
                continue
            }
            guard let data = FileManager.default.contents(atPath: path), data.count <= 65_536,
                let text = String(validating: data, as: UTF8.self)
            else {
                problems.append("\(setting.title): the file of \(setting.fileVariable) cannot be read as UTF-8 text")
                continue
            }
            resolved[setting.variable] = Self.withoutLineEnd(text)
            files.append(SecretFile(setting.fileVariable, path))
        }
        return resolved
    }

    private static func withoutLineEnd(_ text: String) -> String {
        var text = text[...]
        while let last = text.unicodeScalars.last, last == "\n" || last == "\r" { text.unicodeScalars.removeLast() }
        return String(text)
    }
}

/// A file that gives access to something, and whose setting names it.
package struct SecretFile: Hashable, Sendable {
    package let name: String
    package let path: String

    package init(_ name: String, _ path: String) {
        self.name = name
        self.path = path
    }
}

/// One configurable value: its name, its default, what it is for, and how its text is read.
struct Setting<Value: Sendable>: Sendable {
    let descriptor: SettingDescriptor
    let form: ValueForm<Value>

    /// - Parameters:
    ///   - name: as in messages and documentation: `amqp.url`.
    ///   - form: how the text is read, and the words for what is allowed.
    ///   - defaultText: as an operator would write it; `nil` where there is none.
    ///   - defaultNote: what stands in for the default in documentation where it is none, or is computed.
    ///   - help: one sentence without a full stop.
    init(
        _ name: String,
        _ form: ValueForm<Value>,
        default defaultText: String? = nil,
        defaultNote: String? = nil,
        help: String
    ) {
        self.form = form
        descriptor = SettingDescriptor(
            name: name,
            allowed: form.allowed,
            defaultText: defaultText,
            defaultNote: defaultNote,
            help: help,
            redact: form.redact,
            isSecret: form.isSecret
        )
    }
}

/// What there is to tell about a setting, whatever the type of its value.
struct SettingDescriptor: Sendable {
    /// `amqp.ca-file`.
    let name: String
    /// The allowed form, as the end of an error message: `an integer from 1 to 256`.
    let allowed: String
    let defaultText: String?
    let defaultNote: String?
    let help: String
    /// Makes a valid text fit to be shown.
    let redact: @Sendable (String) -> String
    /// Whether it holds a secret, which `fileVariable` may name a file of.
    let isSecret: Bool

    /// `ADMIN_TOKEN_FILE`.
    var fileVariable: String { variable + "_FILE" }

    /// `AMQP_CA_FILE`.
    var variable: String {
        String(name.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    /// `amqp-ca-file`, after two dashes on the command line.
    var option: String {
        String(name.map { $0 == "." ? "-" : $0 })
    }

    /// The part before the first dot.
    var group: Substring { name.prefix { $0 != "." } }

    /// As a message names it: `amqp.url (AMQP_URL)`.
    var title: String { "\(name) (\(variable))" }
}

/// Where a value came from, the strongest first.
enum SettingSource: String, Sendable, CaseIterable {
    case commandLine = "command line"
    case environment = "environment"
    case file = ".env"
    case `default` = "default"
}

/// A setting as it is in force, fit to be shown.
struct EffectiveSetting: Hashable, Sendable {
    let name: String
    /// Redacted; `nil` where the setting has no value.
    let shown: String?
    let source: SettingSource
}

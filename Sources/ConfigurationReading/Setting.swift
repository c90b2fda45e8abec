/// One configurable value: its name, its default, what it is for, and how its text becomes a value.
///
/// A value that may be missing is an optional.
package struct Setting<Value: Sendable>: Sendable {
    package let descriptor: SettingDescriptor
    package let form: ValueForm<Value>
    /// What it is where no source has a text, nor is there a default text.
    private let absent: Value?

    /// - Parameters:
    ///   - name: as in messages and documentation: `amqp.url`.
    ///   - form: how the text is read, and the words for what is allowed.
    ///   - defaultText: as an operator would write it.
    ///   - help: one sentence without a full stop.
    package init(_ name: String, _ form: ValueForm<Value>, default defaultText: String, help: String) {
        self.init(name, form, defaultText: defaultText, defaultNote: nil, absent: nil, help: help)
    }

    /// - Parameters:
    ///   - absent: the value where it is not given.
    ///   - defaultNote: what stands in for the default in documentation; `nil`: there is none.
    package init(
        _ name: String,
        _ form: ValueForm<Value>,
        absent: Value,
        defaultNote: String? = nil,
        help: String
    ) {
        self.init(name, form, defaultText: nil, defaultNote: defaultNote, absent: absent, help: help)
    }

    /// One that may be missing, or whose default is computed from others.
    package init<Wrapped>(_ name: String, _ form: ValueForm<Wrapped>, defaultNote: String? = nil, help: String)
    where Value == Wrapped? {
        self.init(name, form.map { $0 }, absent: nil, defaultNote: defaultNote, help: help)
    }

    private init(
        _ name: String,
        _ form: ValueForm<Value>,
        defaultText: String?,
        defaultNote: String?,
        absent: Value?,
        help: String
    ) {
        self.form = form
        self.absent = absent
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

/// A setting, whatever the type of its value.
package protocol SettingEntry: Sendable {
    var descriptor: SettingDescriptor { get }
    /// - Parameter text: what a source says; `nil`: none says anything.
    func read(_ text: String?, into values: inout SettingValues) throws(ValueProblem)
}

extension Setting: SettingEntry {
    package func read(_ text: String?, into values: inout SettingValues) throws(ValueProblem) {
        if let text = text ?? descriptor.defaultText {
            values[self] = try form.parse(text)
        } else {
            values[self] = absent
        }
    }
}

/// The values that were read, by their settings.
package struct SettingValues: Sendable {
    private struct Box<Value: Sendable>: Sendable {
        let value: Value
    }

    private var boxes: [String: any Sendable] = [:]

    package init() {}

    /// `nil`: there is none that can be used.
    package subscript<Value>(setting: Setting<Value>) -> Value? {
        get { (boxes[setting.descriptor.name] as? Box<Value>)?.value }
        set { boxes[setting.descriptor.name] = newValue.map(Box.init) }
    }
}

/// A program's table of keys: a structure whose properties are its settings, in the order of the documentation. An entry is all
/// that a key needs: it is read, and has its option, its messages and its line in `check-config`, because it is there.
package protocol SettingTable: Sendable {}

extension SettingTable {
    /// In the order in which they are declared.
    package var entries: [any SettingEntry] {
        Mirror(reflecting: self).children.compactMap { $0.value as? any SettingEntry }
    }
}

/// What there is to tell about a setting, whatever the type of its value.
package struct SettingDescriptor: Sendable {
    /// `amqp.ca-file`.
    package let name: String
    /// The allowed form, as the end of an error message: `an integer from 1 to 256`.
    package let allowed: String
    package let defaultText: String?
    package let defaultNote: String?
    package let help: String
    /// Makes a valid text fit to be shown.
    package let redact: @Sendable (String) -> String
    /// Whether it holds a secret, which `fileVariable` may name a file of.
    package let isSecret: Bool

    /// `ADMIN_TOKEN_FILE`.
    package var fileVariable: String { variable + "_FILE" }

    /// `AMQP_CA_FILE`.
    package var variable: String {
        String(name.uppercased().map { $0 == "." || $0 == "-" ? "_" : $0 })
    }

    /// `amqp-ca-file`, after two dashes on the command line.
    package var option: String {
        String(name.map { $0 == "." ? "-" : $0 })
    }

    /// The part before the first dot.
    package var group: Substring { name.prefix { $0 != "." } }

    /// As a message names it: `amqp.url (AMQP_URL)`.
    package var title: String { "\(name) (\(variable))" }
}

/// A setting as it is in force, fit to be shown.
package struct EffectiveSetting: Hashable, Sendable {
    package let name: String
    /// Redacted; `nil` where the setting has no value.
    package let shown: String?
    package let source: SettingSource

    package init(name: String, shown: String?, source: SettingSource) {
        self.name = name
        self.shown = shown
        self.source = source
    }
}

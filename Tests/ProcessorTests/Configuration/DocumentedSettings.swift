@testable import Processor

/// The documents that are written from the table of keys. When the table changes, their tests show the new text.
enum DocumentedSettings {
    static var example: String {
        var text = """
            # Configuration of the processor: copy to .env in the working directory, and take the # off what you change.
            # The environment wins over .env, and options (--amqp-url) win over both. An empty value counts as not set.
            # Durations are 250ms, 15s, 2m, 1h. `processor check-config` prints what is in force.

            """
        var group: Substring?
        for setting in Settings.all {
            if setting.group != group {
                group = setting.group
                text += "\n# --- \(setting.group) ---\n"
            }
            text += "\n# \(setting.help).\n# Allowed: \(setting.allowed).\n"
            if let note = setting.defaultNote { text += "# Default: \(note).\n" }
            text += "#\(setting.variable)=\(setting.defaultText ?? "")\n"
        }
        return text
    }

    static var markdown: String {
        let rows = Settings.all.map { setting in
            let usual = setting.defaultText.map { "`\($0)`" } ?? setting.defaultNote ?? "none"
            return "| `\(setting.name)` | `\(setting.variable)` | \(usual) | \(setting.help) |"
        }
        return (["| Key | Variable | Default | What it is for |", "| --- | --- | --- | --- |"] + rows)
            .joined(separator: "\n")
    }
}

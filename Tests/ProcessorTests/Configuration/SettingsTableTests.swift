import ArgumentParser
import ConfigurationReading
import ConfigurationText
import Foundation
import Logging
import Testing

@testable import Processor

@Suite("The table of keys", .timeLimit(.minutes(1)))
struct SettingsTableTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("every property of the table is a setting, with a name of its own in the common form")
    func names() {
        let count = Settings.all.count
        #expect(Mirror(reflecting: Settings.table).children.count == count)
        #expect(Set(Settings.all.map(\.name)).count == count)
        #expect(Set(Settings.all.map(\.variable)).count == count)
        for setting in Settings.all {
            #expect(setting.name.wholeMatch(of: /[a-z]+([.-][a-z]+)*/) != nil, "\(setting.name)")
            #expect(!setting.help.isEmpty && !setting.help.hasSuffix("."), "\(setting.name)")
        }
    }

    @Test("the configuration reads every key of the table, once and in its order")
    func allRead() throws {
        let configuration = try ProcessorConfiguration(ConfigurationInputs())
        #expect(configuration.effective.map(\.name) == Settings.all.map(\.name))
    }

    @Test("what is in force without any input is what docs/contract.md says")
    func defaults() throws {
        let contract = try String(contentsOf: Self.root.appending(path: "docs/contract.md"), encoding: .utf8)
        let effective = try ProcessorConfiguration(ConfigurationInputs()).effective
        for setting in effective {
            let row = contract.split(separator: "\n").first { $0.hasPrefix("| `\(setting.name)` |") }
            let column = try #require(row?.split(separator: "|").dropFirst(2).first, "\(setting.name)")
            let text = column.trimmingCharacters(in: .whitespaces)
            // In words where the default is computed, or where there is none.
            guard text.hasPrefix("`"), text.hasSuffix("`") else { continue }
            let descriptor = try #require(Settings.all.first { $0.name == setting.name })
            #expect(setting.shown == descriptor.redact(text.trimmingCharacters(in: ["`"])), "\(setting.name)")
        }
    }

    @Test("every key with a default can be given in each source", arguments: Settings.all.map(\.name))
    func sources(name: String) throws {
        let setting = try #require(Settings.all.first { $0.name == name })
        guard let text = setting.defaultText else { return }
        let inputs = [
            (ConfigurationInputs(commandLine: [name: text]), SettingSource.commandLine),
            (ConfigurationInputs(environment: [setting.variable: text]), .environment),
            (ConfigurationInputs(file: DotEnvFile("\(setting.variable)='\(text)'")), .file),
        ]
        for (inputs, source) in inputs {
            let effective = try ProcessorConfiguration(inputs).effective.first { $0.name == name }
            #expect(effective == EffectiveSetting(name: name, shown: setting.redact(text), source: source))
        }
    }

    @Test("a text that a key does not allow is a problem that names the key", arguments: Settings.all.map(\.name))
    func unusable(name: String) throws {
        let setting = try #require(Settings.all.first { $0.name == name })
        let error = #expect(throws: ConfigurationError.self) {
            try ProcessorConfiguration(ConfigurationInputs(environment: [setting.variable: "no \u{7} such/value"]))
        }
        #expect(error?.problems.first?.hasPrefix("\(setting.title): ") == true)
    }

    @Test("every key is an option, and its text comes back under its name", arguments: Settings.all.map(\.name))
    func options(name: String) throws {
        let setting = try #require(Settings.all.first { $0.name == name })
        let options = try ConfigurationOptions.parse(["--\(setting.option)", "some text"])
        #expect(options.given == [name: "some text"])
    }

    @Test("a command's help has its own options; --help-configuration names every key, and no default with a password")
    func help() {
        let own = CheckConfig.helpMessage(columns: 200)
        #expect(own.contains("--json") && own.contains("--help-configuration") && !own.contains("--amqp-url"))
        let help = HelpText.configuration
        for setting in Settings.all { #expect(help.contains("--\(setting.option) <value>")) }
        #expect(!help.contains("guest:guest"))
    }

    @Test(".env.example is what the table says")
    func example() throws {
        let file = try String(contentsOf: Self.root.appending(path: ".env.example"), encoding: .utf8)
        #expect(file == DocumentedSettings.example)
    }

    @Test("every line of .env.example, its comment taken off, is a setting with its default")
    func exampleIsUsable() throws {
        let file = try String(contentsOf: Self.root.appending(path: ".env.example"), encoding: .utf8)
        let lines = file.split(separator: "\n").filter { $0.hasPrefix("#") && !$0.hasPrefix("# ") }.map {
            $0.dropFirst()
        }
        let variables = DotEnvFile(lines.joined(separator: "\n"))
        #expect(variables.problems.isEmpty && variables.warnings.isEmpty)
        for setting in Settings.all { #expect(variables.variables[setting.variable] == setting.defaultText ?? "") }
    }
}

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

@Suite("How the texts of settings are read", .timeLimit(.minutes(1)))
struct ValueFormTests {
    @Test(
        "a duration out of its range is refused",
        arguments: [("1s", true), ("5s", true), ("999ms", false), ("6s", false)]
    )
    func ranges(text: String, isAllowed: Bool) {
        let form = ValueForm.duration(.seconds(1) ... .seconds(5))
        #expect(((try? form.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "booleans are true and false and nothing else",
        arguments: [
            ("true", true), ("false", false), ("TRUE", nil), ("yes", nil), ("1", nil), ("0", nil), ("", nil),
            (" true", nil),
        ] as [(String, Bool?)]
    )
    func booleans(text: String, expected: Bool?) {
        #expect((try? ValueForm.boolean.parse(text)) == expected)
    }

    @Test(
        "integers are digits within their range",
        arguments: [
            ("1", 1), ("256", 256), ("0008", 8), ("0", nil), ("257", nil), ("-1", nil), ("+1", nil), ("1.0", nil),
            ("1e2", nil),
            ("", nil), ("0x10", nil), ("1_0", nil), ("٣", nil), ("99999999999999999999", nil),
        ] as [(String, Int?)]
    )
    func integers(text: String, expected: Int?) {
        #expect((try? ValueForm.integer(1...256).parse(text)) == expected)
    }

    @Test(
        "log levels are those of swift-log, in lower case",
        arguments: [("debug", Logger.Level.debug), ("critical", .critical), ("Info", nil), ("warn", nil)]
            as [(String, Logger.Level?)]
    )
    func logLevels(text: String, expected: Logger.Level?) {
        #expect((try? ValueForm.logLevel.parse(text)) == expected)
    }

    @Test(
        "the bank's address is plain http or https without anything secret in it",
        arguments: [
            ("http://127.0.0.1:8787", "http://127.0.0.1:8787"), ("https://bank.example/", "https://bank.example"),
            ("http://[::1]:80/a/b//", "http://[::1]:80/a/b"), ("HTTP://bank", "HTTP://bank"), ("bank:80", nil),
            ("ftp://bank", nil), ("http://", nil), ("http://u:p@bank", nil), ("http://bank?x=1", nil),
            ("http://bank#x", nil),
            ("http://bank:", nil), ("http://bank:0", nil), ("http://bank:65536", nil), ("http://bank:+80", nil),
            ("http://[::1", nil), ("http://[::1]x", nil), ("http://ba nk", nil), ("http://:80", nil),
        ] as [(String, String?)]
    )
    func bankAddresses(text: String, expected: String?) {
        #expect((try? BankAddress(text))?.base == expected)
    }

    @Test(
        "prefixes stay clear of the broker's own names",
        arguments: [
            ("payments", true), ("a.b_c-9", true), ("amq", false), ("amq.x", false), ("amqx", true), ("a b", false),
        ]
    )
    func prefixes(text: String, isAllowed: Bool) {
        #expect(((try? ValueForm.namePrefix.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "a secret is visible ASCII of a sensible length",
        arguments: [
            ("0123456789abcdef", true), ("0123456789abcde", false), ("0123456789 abcdef", false),
            ("0123456789abcdéf", false),
            (String(repeating: "x", count: 1_024), true), (String(repeating: "x", count: 1_025), false),
        ]
    )
    func secrets(text: String, isAllowed: Bool) {
        #expect(((try? Settings.table.fingerprintSecret.form.parse(text)) != nil) == isAllowed)
    }

    @Test(
        "loopback is distinguished from the rest",
        arguments: [
            ("localhost", true), ("LOCALHOST", true), ("127.0.0.1", true), ("127.8.8.8", true), ("::1", true),
            ("::ffff:127.0.0.1", true), ("0.0.0.0", false), ("::", false), ("10.0.0.1", false), ("128.0.0.1", false),
            ("::ffff:10.0.0.1", false), ("localhost.example.com", false), ("127.0.0.1.example.com", false), ("", false),
        ]
    )
    func loopback(host: String, expected: Bool) {
        #expect(LoopbackHost.matches(host) == expected)
    }

    @Test("every default is a value that its own form allows")
    func defaults() throws {
        let inputs = ConfigurationInputs(
            commandLine: Settings.all.reduce(into: [:]) { $0[$1.name] = $1.defaultText }
        )
        #expect(try ProcessorConfiguration(inputs).effective.count == Settings.all.count)
    }
}

@Suite("The warnings about a .env file", .timeLimit(.minutes(1)))
struct DotEnvFileWarningsTests {
    @Test("names that look like ours and are none are reported, with the nearest key")
    func unknownNames() {
        let file = DotEnvFile(
            "AMQP_PREFECTH=1\nBANK_SOMETHING_ELSE=1\nPORT=1\nRABBITMQ_X=1\nAMQP_PREFETCH=2\nADMIN_HOTS=x"
        )
        #expect(
            file.warnings == [
                ".env: ADMIN_HOTS is not a key of the processor and has no effect; did you mean ADMIN_HOST?",
                ".env: AMQP_PREFECTH is not a key of the processor and has no effect; did you mean AMQP_PREFETCH?",
                ".env: BANK_SOMETHING_ELSE is not a key of the processor and has no effect",
            ]
        )
    }
}

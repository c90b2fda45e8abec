import ArgumentParser
import ConfigurationText
import Foundation
import Testing

@testable import Processor

@Suite("The table of keys", .timeLimit(.minutes(1)))
struct SettingsTableTests {
    private static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    @Test("names, variables and options are distinct, and every key of the contract is there")
    func names() {
        let expected: Set<String> = [
            "amqp.url", "amqp.prefix", "amqp.partitions", "amqp.prefetch", "amqp.declare", "amqp.management-url",
            "amqp.ca-file",
            "amqp.cert-file",
            "amqp.key-file", "database.url", "database.migrate", "database.statement-timeout", "bank.url",
            "bank.timeout", "bank.worst-case",
            "bank.concurrency", "bank.ca-file", "bank.cert-file", "bank.key-file", "allow-plaintext",
            "admin.tokens-file", "admin.cert-file", "admin.key-file",
            "merchants.file", "fingerprint.secret", "fingerprint.previous-secrets", "cards.key-files",
            "cards.accept-plain", "dead-letters.sealed-card-retention",
            "operation.lease", "payment.busy-after", "admin.host", "admin.port", "admin.token", "shutdown.grace",
            "sweeps.reconcile.period", "sweeps.expire.period", "sweeps.retention.period", "sweeps.expire.grace",
            "sweeps.expire.void", "sweeps.batch", "log.level", "log.format", "log.overflow",
        ]
        #expect(Set(Settings.all.map(\.name)) == expected)
        #expect(Settings.all.count == expected.count)
        #expect(Set(Settings.all.map(\.variable)).count == expected.count)
    }

    @Test("the configuration reads every key of the table, once and in its order")
    func allRead() throws {
        let configuration = try ProcessorConfiguration(ConfigurationInputs())
        #expect(configuration.effective.map(\.name) == Settings.all.map(\.name))
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

import AMQP
import ConfigurationReading
import ConfigurationText
import Core
import Foundation
import PaymentCommands
import Testing

@testable import Publisher

@Suite("The configuration", .timeLimit(.minutes(1)))
struct PublisherConfigurationTests {
    @Test("has defaults for everything")
    func defaults() throws {
        let configuration = try load()
        #expect(configuration.client.amqp.host == "127.0.0.1")
        #expect(configuration.client.amqp.port == 5672)
        #expect(configuration.client.amqp.virtualHost == "/")
        #expect(configuration.client.names.commandsExchange == "payments.commands")
    }

    @Test("takes the command line over the environment, that over the file, and an empty value for none")
    func precedence() throws {
        let table: [(line: String?, environment: String?, file: String?, host: String)] = [
            ("amqp://a", "amqp://b", "amqp://c", "a"), (nil, "amqp://b", "amqp://c", "b"),
            (nil, nil, "amqp://c", "c"), ("", "amqp://b", nil, "b"), (nil, "", "amqp://c", "c"),
            ("", "", "", "127.0.0.1"),
        ]
        for row in table {
            let configuration = try load(url: row.line, environment: row.environment, file: row.file)
            #expect(configuration.client.amqp.host == row.host, "\(row)")
        }
    }

    @Test("refuses amqp:// to another machine, unless that is allowed")
    func plaintext() throws {
        func load(_ url: String) throws -> PublisherConfiguration {
            try PublisherConfiguration(ConfigurationInputs(commandLine: ["amqp.url": url]))
        }
        let failure = #expect(throws: Failure.self) { try load("amqp://broker.example") }
        #expect(failure?.status == .configuration)
        #expect(failure?.lines.first?.hasPrefix("amqp.url: leads to another machine without amqps://") == true)
        #expect(throws: Never.self) { try load("amqps://broker.example") }
        #expect(throws: Never.self) { try load("amqp://[::1]:5672") }
    }

    @Test("reports every unusable value, on a line each, and shows none of it")
    func problems() {
        let failure = #expect(throws: Failure.self) {
            try load(url: "http://user:secret@somewhere", prefix: "amq.payments")
        }
        #expect(failure?.status == .configuration)
        #expect(failure?.lines.map { $0.prefix { $0 != ":" } } == ["amqp.url", "amqp.prefix"])
        #expect(failure?.lines.joined().contains("secret") == false)
    }

    @Test(
        "takes names of the broker's alphabet for a prefix only",
        arguments: ["a b", "amq.x", "ä", String(repeating: "x", count: 65)]
    )
    func badPrefix(prefix: String) {
        let failure = #expect(throws: Failure.self) { try load(prefix: prefix) }
        #expect(failure?.status == .configuration)
    }

    @Test("takes the files for TLS from wherever they are given")
    func files() throws {
        let configuration = try PublisherConfiguration(
            ConfigurationInputs(
                commandLine: ["amqp.cert-file": "/line/cert.pem"],
                environment: ["AMQP_KEY_FILE": "/environment/key.pem"],
                file: DotEnvFile("AMQP_CA_FILE=/file/ca.pem")
            )
        )
        #expect(configuration.client.amqp.caFile == "/file/ca.pem")
        #expect(configuration.client.amqp.certFile == "/line/cert.pem")
        #expect(configuration.client.amqp.keyFile == "/environment/key.pem")
    }

    @Test("a certificate needs its key, and a key its certificate", arguments: ["amqp.cert-file", "amqp.key-file"])
    func half(key: String) {
        let failure = #expect(throws: Failure.self) {
            try PublisherConfiguration(ConfigurationInputs(commandLine: [key: "/a.pem"]))
        }
        #expect(failure?.lines == ["amqp.cert-file and amqp.key-file: one needs the other"])
    }

    private func load(
        url: String? = nil,
        prefix: String? = nil,
        environment: String? = nil,
        file: String? = nil
    ) throws(Failure) -> PublisherConfiguration {
        try PublisherConfiguration(
            ConfigurationInputs(
                commandLine: ["amqp.url": url, "amqp.prefix": prefix].compactMapValues(\.self),
                environment: ["AMQP_URL": environment, "ALLOW_PLAINTEXT": "true"].compactMapValues(\.self),
                file: file.map { DotEnvFile("AMQP_URL='\($0)'") } ?? DotEnvFile()
            )
        )
    }

    @Test(
        "what it reads, but for the key to seal for, is of the processor's table in docs/contract.md, with its default"
    )
    func documented() throws {
        let lines = try String(contentsOfFile: Self.root + "/docs/contract.md", encoding: .utf8).split(separator: "\n")
        for entry in PublisherSettings.table.entries {
            let setting = entry.descriptor
            let row = lines.first { $0.hasPrefix("| `\(setting.name)` | `\(setting.variable)` |") }
            #expect(row != nil || setting.name == "publisher.card-key", "\(setting.name)")
            guard let row, let text = setting.defaultText else { continue }
            #expect(row.contains("| `\(text)` |"), "\(setting.name)")
        }
    }

    private static let root = #filePath.components(separatedBy: "/Tests/")[0]
}

@Suite("The file .env", .timeLimit(.minutes(1)))
struct EnvironmentFileTests {
    @Test("need not be there, is read as the processor reads it, and of two assignments the last counts")
    func file() throws {
        #expect(try EnvironmentFile.read(path: "/nowhere/.env").variables == [:])
        let file = try TemporaryFile("A=1\n\nnonsense\nB=\"2\\\"\" # two\nA=3")
        #expect(try EnvironmentFile.read(path: file.path).variables == ["A": "3", "B": "2\""])
        #expect(throws: FileProblem.self) { try EnvironmentFile.read(path: "/") }
    }
}

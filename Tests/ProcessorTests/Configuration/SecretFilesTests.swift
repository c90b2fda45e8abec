import AMQP
import ConfigurationText
import Glibc
import TestSupport
import Testing

@testable import Processor

@Suite("Secrets in files", .timeLimit(.minutes(1)))
struct SecretFilesTests {
    private static let elsewhere = ["BANK_URL": "https://bank", "CARDS_ACCEPT_PLAIN": "true"]

    private func inDirectory(_ body: (ScratchDirectory) throws -> Void) throws {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        try body(directory)
    }

    private func file(_ text: String, mode: mode_t = 0o600, in directory: ScratchDirectory, _ name: String = "secret")
        throws
        -> String
    {
        let path = directory.file(name)
        try ScratchDirectory.write(text, to: path)
        chmod(path, mode)
        return path
    }

    private func load(_ environment: [String: String], file: [String] = []) throws -> ProcessorConfiguration {
        try ProcessorConfiguration(
            ConfigurationInputs(environment: environment, file: DotEnvFile(file.joined(separator: "\n")))
        )
    }

    private func problems(_ environment: [String: String]) -> [String] {
        let error = #expect(throws: ConfigurationError.self) { try load(environment) }
        return error?.problems ?? []
    }

    @Test("every secret may be named by its file, without its line end")
    func files() throws {
        try inDirectory { directory in
            let secrets = Settings.all.filter(\.isSecret).map(\.name)
            #expect(
                secrets == [
                    "amqp.url", "amqp.management-url", "database.url", "fingerprint.secret",
                    "fingerprint.previous-secrets", "admin.token",
                ]
            )
            let url = try file("amqp://someone:hidden@127.0.0.1/\n", in: directory, "url")
            let secret = try file("a-secret-of-some-length\r\n", in: directory)
            let previous = try file("the-secret-before,really\nthe-one-before-that\n", in: directory, "previous")
            let configuration = try load([
                "AMQP_URL_FILE": url, "FINGERPRINT_SECRET_FILE": secret, "FINGERPRINT_PREVIOUS_SECRETS_FILE": previous,
                "ADMIN_TOKEN_FILE": secret,
            ])
            #expect(configuration.broker.user == "someone")
            #expect(configuration.fingerprintSecret.value == "a-secret-of-some-length")
            #expect(configuration.previousSecrets.map(\.value) == ["the-secret-before,really", "the-one-before-that"])
            #expect(configuration.admin.token?.value == "a-secret-of-some-length")
            #expect(configuration.warnings.isEmpty)
            #expect(!configuration.checkJSON.contains("hidden") && !configuration.checkJSON.contains("a-secret"))
            // In .env, too; the environment is stronger.
            let mixed = try load(["ADMIN_TOKEN": "token-of-sixteen-characters"], file: ["ADMIN_TOKEN_FILE=\(secret)"])
            #expect(mixed.admin.token?.value == "token-of-sixteen-characters")
            #expect(!mixed.warnings.contains { $0.contains("ADMIN_TOKEN_FILE") })
        }
    }

    @Test("what cannot be read, or is given twice, is one line without a value")
    func wrong() throws {
        try inDirectory { directory in
            let secret = try file("a-secret-of-some-length", in: directory)
            #expect(
                problems(["FINGERPRINT_SECRET_FILE": directory.file("none")]) == [
                    "fingerprint.secret (FINGERPRINT_SECRET): the file of FINGERPRINT_SECRET_FILE cannot be read as UTF-8 text"
                ]
            )
            #expect(
                problems(["FINGERPRINT_SECRET_FILE": secret, "FINGERPRINT_SECRET": "another-secret-here"]) == [
                    "fingerprint.secret (FINGERPRINT_SECRET): is given twice, by FINGERPRINT_SECRET_FILE too"
                ]
            )
        }
    }

    @Test("a file that every user can read is refused beyond loopback, and warned of on it")
    func modes() throws {
        try inDirectory { directory in
            let open = try file("a-secret-of-some-length", mode: 0o644, in: directory)
            let line = "FINGERPRINT_SECRET_FILE: \(open) can be read by every user of this machine; chmod 600"
            let onLoopback = try load(["FINGERPRINT_SECRET_FILE": open])
            #expect(onLoopback.warnings == [line])
            #expect(problems(Self.elsewhere.merging(["FINGERPRINT_SECRET_FILE": open]) { $1 }) == [line])
            // A group may be what the processor runs as.
            chmod(open, 0o640)
            let group = try load(Self.elsewhere.merging(["FINGERPRINT_SECRET_FILE": open]) { $1 })
            #expect(!group.warnings.contains(line))
            var inputs = ConfigurationInputs(environment: Self.elsewhere)
            chmod(open, 0o604)
            inputs.filePath = open
            let error = #expect(throws: ConfigurationError.self) { try ProcessorConfiguration(inputs) }
            #expect(error?.problems.contains { $0.hasPrefix(".env: \(open) can be read by every user") } == true)
        }
    }

    @Test("previous secrets are separated by commas, and each must be a secret")
    func previous() throws {
        let configuration = try load(["FINGERPRINT_PREVIOUS_SECRETS": "first-secret-of-two,other-secret-of-two"])
        #expect(configuration.previousSecrets.count == 2)
        #expect(try load([:]).previousSecrets.isEmpty)
        #expect(problems(["FINGERPRINT_PREVIOUS_SECRETS": "first-secret-of-two,short"]).count == 1)
    }
}

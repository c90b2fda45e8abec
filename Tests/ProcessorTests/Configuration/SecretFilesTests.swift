import AMQP
import ConfigurationReading
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

@Suite("Plain text beyond this machine", .timeLimit(.minutes(1)))
struct PlaintextTests {
    private static let usual = ["FINGERPRINT_SECRET": "correct-horse-battery", "CARDS_ACCEPT_PLAIN": "true"]

    private func problems(_ environment: [String: String]) -> [String] {
        do throws(ConfigurationError) {
            _ = try ProcessorConfiguration(ConfigurationInputs(environment: environment.merging(Self.usual) { $1 }))
            return []
        } catch {
            return error.problems
        }
    }

    @Test(
        "is refused by its setting, with what to use",
        arguments: [
            ("AMQP_URL", "amqp://u:p@broker.example/%2f", "amqps://"),
            ("DATABASE_URL", "postgresql://u@db.example/d", "sslmode=verify-full"),
            ("DATABASE_URL", "postgresql://u@db.example/d?sslmode=require", "sslmode=verify-full"),
            ("DATABASE_URL", "postgresql://u@127.0.0.1,db.example/d", "sslmode=verify-full"),
            ("BANK_URL", "http://bank.example", "https://"),
            ("AMQP_MANAGEMENT_URL", "http://u:p@broker.example:15672", "https://"),
        ]
    )
    func refused(variable: String, value: String, way: String) throws {
        let found = problems([variable: value])
        let words = "leads to another machine without \(way); use it, or set allow-plaintext (ALLOW_PLAINTEXT) to true"
        #expect(found.count == 1 && found[0].hasSuffix(words), "\(found)")
        let allowed = try ProcessorConfiguration(
            ConfigurationInputs(environment: Self.usual.merging([variable: value, "ALLOW_PLAINTEXT": "true"]) { $1 })
        )
        #expect(allowed.warnings.contains { $0.contains("leads to another machine without \(way)") })
    }

    @Test(
        "is no question where there is none, or the way stays on this machine",
        arguments: [
            ["AMQP_URL": "amqps://u:p@broker.example/%2f"], ["BANK_URL": "https://bank.example"],
            ["DATABASE_URL": "postgresql://u@db.example/d?sslmode=verify-full"],
            ["DATABASE_URL": "host=/run/postgresql dbname=d"], ["BANK_URL": "http://127.0.0.1:1"], [:],
        ]
    )
    func allowed(environment: [String: String]) {
        #expect(problems(environment).isEmpty)
    }

    @Test("a client certificate for the bank needs its key, and the other way round", arguments: ["CERT", "KEY"])
    func pairs(given: String) {
        let found = problems(["BANK_\(given)_FILE": #filePath])
        #expect(found.count == 1 && found[0].contains("_FILE): is needed beside bank."), "\(found)")
    }
}

@Suite("Passwords in addresses", .timeLimit(.minutes(1)))
struct RedactionTests {
    @Test(
        "the broker's URL keeps all but its password",
        arguments: [
            ("amqp://guest:guest@127.0.0.1:5672/%2f", "amqp://guest:***@127.0.0.1:5672/%2f"),
            ("amqps://u:p@ss@host/v", "amqps://u:***@host/v"),
            ("amqp://u:a:b@host", "amqp://u:***@host"),
            ("amqp://host:5672/v", "amqp://host:5672/v"),
            ("amqp://host/v@:x", "amqp://host/v@:x"),
            ("nonsense", "***"),
        ]
    )
    func broker(text: String, expected: String) {
        #expect(Redaction.brokerURL(text) == expected)
    }

    @Test(
        "a libpq connection string keeps all but its passwords, in both forms",
        arguments: [
            ("postgresql://postgres@127.0.0.1:5432/payments", "postgresql://postgres@127.0.0.1:5432/payments"),
            ("postgres://u:pw@a:1,b:2/d", "postgres://u:***@a:1,b:2/d"),
            ("postgresql://u:p@ss@host/d", "postgresql://u:***@host/d"),
            ("postgresql://h/d?password=pw&sslmode=require", "postgresql://h/d?password=***&sslmode=require"),
            ("postgresql://h/d?sslpassword=pw", "postgresql://h/d?sslpassword=***"),
            ("postgresql://h/d?pass%77ord=pw", "postgresql://h/d?pass%77ord=***"),
            ("postgresql://u:pw@/d?host=/tmp", "postgresql://u:***@/d?host=/tmp"),
            ("host=h password=pw dbname=d", "host=h password=*** dbname=d"),
            ("host = h password = 'p w' dbname = d", "host=h password=*** dbname=d"),
            ("password='p\\'w x' host=h", "password=*** host=h"),
            ("password=p\\ w host=h", "password=*** host=h"),
            ("PASSWORD=pw host='a b'", "PASSWORD=*** host='a b'"),
            ("password='open", "***"),
            ("just words", "***"),
        ]
    )
    func conninfo(text: String, expected: String) {
        #expect(Redaction.conninfo(text) == expected)
    }
}

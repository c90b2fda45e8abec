import ConfigurationText
import Testing

@testable import Processor

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

import CardSealing
import ConfigurationReading
import ConfigurationText
import Core
import Glibc
import TestSupport
import Testing

@testable import Processor

@Suite("The configuration of cards", .timeLimit(.minutes(1)))
struct CardsConfigurationTests {
    private static let elsewhere = ["BANK_URL": "https://bank", "FINGERPRINT_SECRET": "sixteen-characters"]

    private func load(_ environment: [String: String]) throws -> ProcessorConfiguration {
        try ProcessorConfiguration(ConfigurationInputs(environment: environment))
    }

    private func problems(_ environment: [String: String]) -> [String] {
        let error = #expect(throws: ConfigurationError.self) { try load(environment) }
        return error?.problems ?? []
    }

    /// Files of new keys, in a folder that the caller removes.
    private func files(_ count: Int) throws -> (directory: ScratchDirectory, paths: [String], keys: [CardKey]) {
        let directory = try ScratchDirectory()
        let keys = (0..<count).map { _ in CardKey.generated(.x25519) }
        let paths = keys.indices.map { directory.file("\($0).jwk") }
        for (key, path) in zip(keys, paths) {
            try ScratchDirectory.write(String(decoding: (key.privateJSON ?? .null).encoded, as: UTF8.self), to: path)
            chmod(path, 0o600)
        }
        return (directory, paths, keys)
    }

    @Test("plain cards are taken where everything is on loopback, and nowhere else unless it is said")
    func acceptsPlain() throws {
        #expect(try load([:]).cards.acceptsPlain)
        #expect(try load(["CARDS_ACCEPT_PLAIN": "false"]).cards.acceptsPlain == false)
        #expect(try load(Self.elsewhere).cards.acceptsPlain == false)
        let allowed = try load(Self.elsewhere.merging(["CARDS_ACCEPT_PLAIN": "true"]) { $1 })
        #expect(allowed.cards.acceptsPlain)
        #expect(allowed.warnings.contains { $0.hasPrefix("cards.accept-plain (CARDS_ACCEPT_PLAIN): is true") })
        let shown = try load(Self.elsewhere).effective.first { $0.name == "cards.accept-plain" }
        #expect(shown == EffectiveSetting(name: "cards.accept-plain", shown: "false", source: .default))
    }

    @Test("without keys and without plain cards there is a warning: no authorize can succeed")
    func nothingAccepted() throws {
        #expect(try load(Self.elsewhere).warnings.contains { $0.hasPrefix("cards.key-files (CARDS_KEY_FILES): ") })
        let (directory, paths, _) = try files(1)
        defer { directory.remove() }
        let sealed = try load(Self.elsewhere.merging(["CARDS_KEY_FILES": paths[0]]) { $1 })
        #expect(!sealed.warnings.contains { $0.contains("CARDS_") })
    }

    @Test("the keys are those of the files, in their order, and are not printed")
    func keys() throws {
        let (directory, paths, keys) = try files(2)
        defer { directory.remove() }
        let configuration = try load(["CARDS_KEY_FILES": "\(paths[1]) , \(paths[0])"])
        #expect(configuration.cards.files.keyring.keys.map(\.id) == [keys[1].id, keys[0].id])
        #expect(configuration.cards.intake.keys[keys[0].id] != nil)
        let secret = try #require(keys[0].privateJSON?["d"]?.string)
        #expect(!"\(configuration) \(configuration.checkJSON)".contains(secret))
        #expect(configuration.checkText.contains("cards.key-files = \(paths[1])"))
    }

    @Test("what is no file of private keys is one line, with nothing of the file in it")
    func badFiles() throws {
        let (directory, paths, keys) = try files(1)
        defer { directory.remove() }
        let publicOnly = directory.file("public.jwk")
        try ScratchDirectory.write(String(decoding: keys[0].publicKey.json.encoded, as: UTF8.self), to: publicOnly)
        let nonsense = directory.file("nonsense")
        try ScratchDirectory.write("SECRET", to: nonsense)
        let table = [
            (directory.file("none"), "file 1 cannot be read"), (publicOnly, "file 1 holds a public key only"),
            ("\(paths[0]),\(nonsense)", "file 2 holds no JSON Web Key"),
            ("\(paths[0]),\(paths[0])", "one of the files holds a key whose kid another one has too"),
        ]
        for (value, words) in table {
            let problems = problems(["CARDS_KEY_FILES": value])
            #expect(problems.count == 1)
            #expect(problems.first?.hasPrefix("cards.key-files (CARDS_KEY_FILES): \(words)") == true, "\(problems)")
            #expect(!problems.joined().contains("SECRET"))
        }
    }
}

import ArgumentParser
import CardSealing
import Core
import Glibc
import Program

struct Keys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Looks after the keys that cards are sealed for.",
        discussion: """
            Senders encrypt a card for a public key of the processor, so that neither broker nor disk sees it. `generate` makes a \
            private key in a file of its own, which cards.key-files names; `list` shows which keys are in force, and `public` \
            prints what senders need (GET /.well-known/jwks.json answers the same).

            To rotate: generate a key, put its file behind the others in cards.key-files, and start the processors again one by \
            one, so that all can open what is sealed for it. Then put it first, start them again, and let senders fetch the \
            public keys. Take the old file out when nothing that was sealed for it is left.
            """,
        subcommands: [GenerateKey.self, ListKeys.self, PublicKeys.self]
    )
}

struct GenerateKey: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "generate",
        abstract: "Makes a private key, in a new file that only its owner may read."
    )

    @Option(help: ArgumentHelp("The file; it must not exist yet.", valueName: "file"))
    var out: String

    @Option(help: ArgumentHelp("P-256 or X25519.", valueName: "curve"))
    var curve = CardCurve.p256.rawValue

    @Flag(help: "Print one line of JSON.")
    var json = false

    func run() async throws {
        guard let curve = CardCurve(rawValue: curve) else {
            let known = CardCurve.allCases.map(\.rawValue).joined(separator: " or ")
            throw CommandFailure(.usage, "--curve must be \(known)")
        }
        let key = CardKey.generated(curve)
        try KeyFile(path: out).write(key)
        guard !json else {
            let made = JSONValue.object(["file": .string(out), "kid": .string(key.id), "type": .string(curve.rawValue)])
            return StandardStream.output.print(String(decoding: made.encoded, as: UTF8.self))
        }
        StandardStream.output.print("\(key.id)  \(curve.rawValue)  \(out)")
        StandardStream.error.print(
            "processor: name the file in cards.key-files (CARDS_KEY_FILES), and keep a copy of it where secrets are kept"
        )
    }
}

struct ListKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists the keys of cards.key-files, the current one first."
    )

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let files = try ProcessorConfiguration(options: options).cards.files
        StandardStream.output.print(json ? files.listJSON : files.listText)
    }
}

struct PublicKeys: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "public",
        abstract: "Prints the public keys as a JSON Web Key Set, the current one first."
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let keyring = try ProcessorConfiguration(options: options).cards.files.keyring
        StandardStream.output.print(String(decoding: keyring.publicJSON.encoded, as: UTF8.self))
    }
}

extension CardKeyFiles {
    private var entries: [(key: CardKey, path: String, state: String)] {
        let current = keyring.keys.first?.id
        return files.flatMap { file in
            file.keys.map { ($0, file.path, $0.id == current ? "current" : "previous") }
        }
    }

    fileprivate var listText: String {
        guard !entries.isEmpty else { return "no keys: cards.key-files is not set" }
        let rows = entries.map { [$0.key.id, $0.key.publicKey.kind, $0.state, $0.path] }
        return TextTable.lines([["kid", "type", "state", "file"]] + rows).joined(separator: "\n")
    }

    fileprivate var listJSON: String {
        let keys = entries.map { entry in
            JSONValue.object([
                "file": .string(entry.path), "kid": .string(entry.key.id), "state": .string(entry.state),
                "type": .string(entry.key.publicKey.kind),
            ])
        }
        return String(decoding: JSONValue.object(["keys": .array(keys)]).encoded, as: UTF8.self)
    }
}

/// A new file for a private key: nobody else may read it, and nothing is overwritten.
struct KeyFile {
    let path: String

    /// - Throws: `CommandFailure` with 1 where the file is there already or cannot be written.
    func write(_ key: CardKey) throws {
        guard let json = key.privateJSON else { throw failure("this kind of key is made elsewhere") }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw failure(String(cString: strerror(errno))) }
        defer { close(descriptor) }
        let bytes = json.encoded + [UInt8(ascii: "\n")]
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                let problem = String(cString: strerror(errno))
                unlink(path)
                throw failure(problem)
            }
            written += count
        }
        guard fsync(descriptor) == 0 else { throw failure(String(cString: strerror(errno))) }
    }

    private func failure(_ problem: String) -> CommandFailure {
        CommandFailure(.differences, "\(path) cannot be written: \(problem)")
    }
}

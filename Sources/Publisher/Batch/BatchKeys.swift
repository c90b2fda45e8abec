import Core
import Crypto
import PaymentCommands
import Program

/// Keys for the lines that have none: made once, and kept where a second run finds them, before anything is sent.
enum BatchKeys {
    enum Place: Equatable {
        case file(String)
        case standardError

        /// - Parameters:
        ///   - option: what `--keys` says.
        ///   - file: the batch; standard input has no name that another could be made from.
        init(option: String?, file: String) {
            let path = option ?? (file == "-" ? file : file + ".keys")
            self = path == "-" ? .standardError : .file(path)
        }
    }

    struct Completed {
        let entries: [BatchEntry]
        /// To be held until the run has ended.
        let file: KeysFile?
        /// How many of the keys were made just now.
        let made: Int
    }

    /// - Parameter file: the batch's name, for what there is to say.
    /// - Throws: `Failure` where the keys cannot be kept, or were kept for other lines.
    static func complete(_ entries: [BatchEntry], of file: String, in place: Place) throws(Failure) -> Completed {
        let keyless = entries.filter(\.command.hasMadeKey)
        guard !keyless.isEmpty else { return Completed(entries: entries, file: nil, made: 0) }
        switch place {
        case .standardError:
            guard StandardStream.writeError(keyless.flatMap { KeyRecord($0).encoded }) else {
                throw KeysFile.unusable("standard error", "it cannot be written")
            }
            return Completed(entries: entries, file: nil, made: keyless.count)
        case .file(let path):
            let keys = try KeysFile(path)
            let completed = try complete(entries, of: file, from: keys)
            let made = keyless.filter { keys.records[$0.line] == nil }
            if !made.isEmpty { try keys.append(made.map(KeyRecord.init)) }
            return Completed(entries: completed, file: keys, made: made.count)
        }
    }

    private static func complete(
        _ entries: [BatchEntry],
        of file: String,
        from keys: KeysFile
    ) throws(Failure) -> [BatchEntry] {
        var changed: [String] = []
        let completed = entries.map { entry in
            guard entry.command.hasMadeKey, let record = keys.records[entry.line] else { return entry }
            if record.digest != CommandDigest.of(entry.command) { changed.append("\(file):\(entry.line): has changed") }
            return BatchEntry(
                line: entry.line,
                command: OutgoingCommand(
                    entry.command,
                    idempotencyKey: record.idempotencyKey,
                    paymentID: record.paymentID
                )
            )
        }
        guard changed.isEmpty else {
            throw Failure(
                .usage,
                "nothing was sent, because \(keys.path) has keys for other commands in these lines: "
                    + "put the lines back, or give another --keys PATH to send them as new commands",
                details: Array(changed.prefix(BatchFile.maximumProblems))
            )
        }
        return completed
    }
}

/// The identifiers that were made for a line of a batch: a line of the file of keys,
/// `{"command","idempotency_key","line","payment_id"}`.
struct KeyRecord: Hashable, Sendable {
    /// From 1.
    let line: Int
    /// Of the command as the line says it (`CommandDigest`).
    let digest: String
    let idempotencyKey: String
    let paymentID: String

    init(_ entry: BatchEntry) {
        line = entry.line
        digest = CommandDigest.of(entry.command)
        idempotencyKey = entry.command.idempotencyKey
        paymentID = entry.command.paymentID
    }

    /// - Returns: nil for what is no line of a file of keys.
    init?(_ text: some Collection<UInt8>) {
        guard let json = try? JSONParser.parse(Array(text)),
            let line = json["line"]?.integer.flatMap(Int.init(exactly:)),
            let digest = json["command"]?.string, let key = json["idempotency_key"]?.string,
            let paymentID = json["payment_id"]?.string, IdempotencyKey(key) != nil, PaymentID(paymentID) != nil
        else { return nil }
        self.line = line
        self.digest = digest
        idempotencyKey = key
        self.paymentID = paymentID
    }

    /// With its line feed.
    var encoded: [UInt8] {
        JSONValue.object([
            "command": .string(digest), "idempotency_key": .string(idempotencyKey), "line": .integer(line),
            "payment_id": .string(paymentID),
        ]).encoded + [UInt8(ascii: "\n")]
    }
}

/// Tells whether a line of a batch is the one that a key was made for.
enum CommandDigest {
    /// In hexadecimal digits. Nothing of the card goes into it: a digest of a card number can be guessed.
    static func of(_ command: OutgoingCommand) -> String {
        var members: [String: JSONValue] = [:]
        if case .object(let known)? = try? JSONParser.parse(command.body) { members = known }
        members["card"] = nil
        members["sealed_card"] = nil
        let content = JSONValue.object([
            "body": .object(members), "merchant_id": .optional(command.merchantID),
            "operation": .string(command.kind.rawValue),
            "payment_id": .optional(command.hasMadePaymentID ? nil : command.paymentID.lowercased()),
        ])
        return SHA256.hash(data: content.encoded).prefix(16).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }
}

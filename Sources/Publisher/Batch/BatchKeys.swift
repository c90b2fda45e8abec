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

import Core
import PaymentCommands

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

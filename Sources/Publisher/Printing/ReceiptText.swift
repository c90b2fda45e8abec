import Core

/// What `--no-wait` prints: by which names the command can be found again.
enum ReceiptText {
    static func json(_ command: OutgoingCommand, messageID: UniqueID) -> String {
        let members: [String: JSONValue] = [
            "idempotency_key": .string(command.idempotencyKey), "message_id": .string(messageID.description),
            "payment_id": .string(command.paymentID),
        ]
        return String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
    }

    static func text(_ command: OutgoingCommand, messageID: UniqueID, _ palette: Palette) -> String {
        var table = Table()
        table.add("payment", PlainText.of(command.paymentID))
        table.add("key", PlainText.of(command.idempotencyKey))
        table.add("message", messageID.description)
        table.add("reply", "goes to the common reply queue")
        return palette.bold("\(command.kind) sent") + "\n" + table.text(palette)
    }
}

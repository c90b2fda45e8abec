import Core
import PaymentCommands

/// What `--no-wait` prints: by which names the command can be found again.
enum ReceiptText {
    static func json(_ command: PaymentCommand) -> String {
        let members: [String: JSONValue] = [
            "idempotency_key": .string(command.idempotencyKey), "message_id": .string(command.messageID),
            "payment_id": .string(command.paymentID),
        ]
        return String(decoding: JSONValue.object(members).encoded, as: UTF8.self)
    }

    static func text(_ command: PaymentCommand, _ palette: Palette) -> String {
        var table = Table()
        table.add("payment", PlainText.of(command.paymentID))
        table.add("key", PlainText.of(command.idempotencyKey))
        table.add("message", command.messageID)
        table.add("reply", "goes to the common reply queue")
        return palette.bold("\(command.operation) sent") + "\n" + table.text(palette)
    }
}

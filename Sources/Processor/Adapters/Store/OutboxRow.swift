import Core
import Postgres

/// How a message is read from its row of the outbox.
enum OutboxRow {
    /// In the order in which `entry(from:)` reads them, each of the table `o`.
    static let columns = """
        o.id, o.payment_id, o.operation_id, o.destination, o.address, o.type, o.message_id, o.correlation_id, o.headers, \
        o.body, o.attempts, o.reply_to, o.correlation_bytes
        """

    static func entry(from row: PostgresRow) throws(PostgresError) -> OutboxEntry {
        let destination: Destination =
            switch try row.text(3) {
            case "event": .event(try row.parsed(4, PaymentEvent.Name.init))
            case "dead_letter": .deadLetters
            default: .replies(try row.optionalText(4))
            }
        let operation = try row.optionalUUID(2).map { OperationID(UniqueID($0)) }
        return OutboxEntry(
            id: OutboxID(try row.int64(0)),
            content: OutboxMessage(
                paymentID: PaymentID(UniqueID(try row.uuid(1))),
                operationID: operation,
                destination: destination,
                message: Message(
                    type: try row.optionalText(5),
                    contentType: "application/json",
                    messageID: try row.optionalText(6),
                    correlationID: try .from(row, text: 7, bytes: 12),
                    replyTo: try row.optionalText(11),
                    headers: headers(try row.text(8)),
                    body: try row.bytes(9)
                )
            ),
            // Taking it has counted this one already.
            attempts: Int(try row.int32(10)) - 1
        )
    }

    private static func headers(_ text: String) -> [String: HeaderValue] {
        guard case .object(let members)? = try? JSONParser.parse(Array(text.utf8)) else { return [:] }
        return members.compactMapValues { value in
            switch value {
            case .string(let text): .string(text)
            case .bool(let flag): .bool(flag)
            default: value.integer.map(HeaderValue.integer)
            }
        }
    }
}

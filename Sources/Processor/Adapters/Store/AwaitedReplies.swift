import Core
import Postgres

/// The replies that are owed to messages which were given up while their operation was in manual review.
enum AwaitedReplies {
    static func add(_ command: Command, on connection: isolated PostgresConnection) throws(PostgresError) {
        let route = command.route
        _ = try connection.execute(
            """
            INSERT INTO awaited_replies (
                merchant_id, idempotency_key, message_id, reply_to, reply_to_ignored, correlation_id, correlation_bytes,
                traceparent, noted_at
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
            ON CONFLICT DO NOTHING
            """,
            [
                .text(command.merchantID.description), .text(command.idempotencyKey.description),
                .text(command.messageID),
                .optional(route.replyTo, PostgresValue.text), .bool(route.isReplyToIgnored),
                .optional(route.correlationID?.textColumn, PostgresValue.text),
                .optional(route.correlationID?.bytesColumn, PostgresValue.bytes),
                .optional(route.traceparent, PostgresValue.text),
            ]
        )
    }

    /// The message of a dead letter that is replayed is answered by that.
    static func remove(_ deadLetter: DeadLetter, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard let merchant = deadLetter.command.merchantID, let key = deadLetter.command.idempotencyKey,
            let message = deadLetter.content.message.messageID
        else { return }
        try connection.enqueue(
            "DELETE FROM awaited_replies WHERE merchant_id = $1 AND idempotency_key = $2 AND message_id = $3",
            [.text(merchant.description), .text(key.description), .text(message)]
        )
    }

    /// Puts those whose operation has ended into the outbox, but for what is in it already: what ends an operation without a delivery
    /// answers its first message.
    static func enqueueDue(on connection: isolated PostgresConnection) throws(PostgresError) {
        let rows = try connection.execute(due, [.int8(most)])
        if rows.isEmpty { return }
        var messages: [OutboxMessage] = []
        for row in rows where try !row.bool(own + 6) {
            let route = ReplyRoute(
                replyTo: try row.optionalText(own + 1),
                correlationID: try .from(row, text: own + 3, bytes: own + 4),
                traceparent: try row.optionalText(own + 5),
                isReplyToIgnored: try row.bool(own + 2)
            )
            messages.append(OutboxMessage(final: try OperationRow.operation(from: row), by: route))
        }
        try OutboxWriter(messages).write(on: connection)
        var keys: (merchants: [String], keys: [String], messages: [String]) = ([], [], [])
        for row in rows {
            keys.merchants.append(try row.text(1))
            keys.keys.append(try row.text(2))
            keys.messages.append(try row.text(own))
        }
        try connection.enqueue(
            """
            DELETE FROM awaited_replies a USING unnest($1::text[], $2::text[], $3::text[])
                AS n (merchant_id, idempotency_key, message_id)
            WHERE a.merchant_id = n.merchant_id AND a.idempotency_key = n.idempotency_key AND a.message_id = n.message_id
            """,
            [.textArray(keys.merchants), .textArray(keys.keys), .textArray(keys.messages)]
        )
    }

    private static let most: Int64 = 100
    /// The position of the first column that is not the operation's.
    private static let own = OperationRow.count

    private static let due = """
        SELECT \(OperationRow.columns), a.message_id, a.reply_to, a.reply_to_ignored, a.correlation_id, a.correlation_bytes,
            a.traceparent, EXISTS (
                SELECT FROM outbox x
                WHERE x.payment_id = o.payment_id AND x.operation_id = o.id AND x.destination = 'reply'
                    AND x.address IS NOT DISTINCT FROM a.reply_to
                    AND x.correlation_id IS NOT DISTINCT FROM a.correlation_id
                    AND x.correlation_bytes IS NOT DISTINCT FROM a.correlation_bytes
            )
        FROM awaited_replies a
        JOIN operations o ON o.merchant_id = a.merchant_id AND o.idempotency_key = a.idempotency_key
        WHERE o.state IN ('SUCCEEDED', 'DECLINED', 'REJECTED')
        ORDER BY a.noted_at LIMIT $1 FOR UPDATE OF a SKIP LOCKED
        """
}

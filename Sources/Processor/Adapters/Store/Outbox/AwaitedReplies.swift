import Core
import Postgres

/// The replies that are owed to messages which were given up while their operation was in manual review.
enum AwaitedReplies {
    static func add(
        _ route: ReplyRoute,
        _ merchant: MerchantID,
        _ key: IdempotencyKey,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        _ = try connection.execute(
            """
            INSERT INTO awaited_replies (
                merchant_id, idempotency_key, route, reply_to, reply_to_ignored, correlation_id, correlation_bytes,
                traceparent, checked_at
            ) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, clock_timestamp())
            ON CONFLICT DO NOTHING
            """,
            [
                .text(merchant.description), .text(key.description), .bytes(route.addressDigest),
                .optional(route.replyTo, PostgresValue.text), .bool(route.isReplyToIgnored),
                .optional(route.correlationID?.textColumn, PostgresValue.text),
                .optional(route.correlationID?.bytesColumn, PostgresValue.bytes),
                .optional(route.traceparent, PostgresValue.text),
            ]
        )
    }

    /// Those that are answered by other ways.
    static func remove(
        _ replies: [(route: ReplyRoute, merchant: MerchantID, key: IdempotencyKey)],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        if replies.isEmpty { return }
        try connection.enqueue(
            """
            DELETE FROM awaited_replies a USING unnest($1::text[], $2::text[], $3::bytea[])
                AS n (merchant_id, idempotency_key, route)
            WHERE a.merchant_id = n.merchant_id AND a.idempotency_key = n.idempotency_key AND a.route = n.route
            """,
            [
                .textArray(replies.map(\.merchant.description)), .textArray(replies.map(\.key.description)),
                .bytesArray(replies.map(\.route.addressDigest)),
            ]
        )
    }

    /// Puts those whose operation has ended into the outbox, among the ones that were not checked for the longest time.
    static func enqueueEnded(limit: Int, on connection: isolated PostgresConnection) throws(PostgresError) {
        let rows = try connection.execute(next, [.int8(Int64(limit))])
        if rows.isEmpty { return }
        var routes: [String: [ReplyRoute]] = [:]
        var (merchants, keys): ([String], [String]) = ([], [])
        for row in rows {
            let (merchant, key) = (try row.text(0), try row.text(1))
            let route = ReplyRoute(
                replyTo: try row.optionalText(2),
                correlationID: try .from(row, text: 4, bytes: 5),
                traceparent: try row.optionalText(6),
                isReplyToIgnored: try row.bool(3)
            )
            merchants.append(merchant)
            keys.append(key)
            routes["\(merchant) \(key)", default: []].append(route)
        }
        let ended = try connection.execute(
            """
            SELECT \(OperationRow.columns) FROM operations o
            JOIN (SELECT DISTINCT merchant_id, idempotency_key FROM unnest($1::text[], $2::text[]) AS u (merchant_id, idempotency_key)) n
                ON o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key
            WHERE o.state IN ('SUCCEEDED', 'DECLINED', 'REJECTED')
            """,
            [.textArray(merchants), .textArray(keys)]
        )
        var messages: [OutboxMessage] = []
        var answered: [(ReplyRoute, MerchantID, IdempotencyKey)] = []
        for row in ended {
            let operation = try OperationRow.operation(from: row)
            for route in routes["\(operation.merchantID) \(operation.idempotencyKey)"] ?? [] {
                messages.append(OutboxMessage(final: operation, by: route))
                answered.append((route, operation.merchantID, operation.idempotencyKey))
            }
        }
        try OutboxWriter(messages).write(on: connection)
        try remove(answered, on: connection)
    }

    private static let next = """
        UPDATE awaited_replies a SET checked_at = clock_timestamp()
        FROM (
            SELECT merchant_id, idempotency_key, route FROM awaited_replies
            WHERE checked_at <= now() - interval '1 second' ORDER BY checked_at LIMIT $1 FOR UPDATE SKIP LOCKED
        ) n
        WHERE a.merchant_id = n.merchant_id AND a.idempotency_key = n.idempotency_key AND a.route = n.route
        RETURNING a.merchant_id, a.idempotency_key, a.reply_to, a.reply_to_ignored, a.correlation_id, a.correlation_bytes,
            a.traceparent
        """
}

extension AwaitedReplies {
    /// The message of a dead letter.
    static func add(_ deadLetter: DeadLetter, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard let merchant = deadLetter.command.merchantID, let key = deadLetter.command.idempotencyKey else { return }
        try add(deadLetter.replyRoute, merchant, key, on: connection)
    }

    static func remove(_ deadLetter: DeadLetter, on connection: isolated PostgresConnection) throws(PostgresError) {
        guard let merchant = deadLetter.command.merchantID, let key = deadLetter.command.idempotencyKey else { return }
        try remove([(deadLetter.replyRoute, merchant, key)], on: connection)
    }
}

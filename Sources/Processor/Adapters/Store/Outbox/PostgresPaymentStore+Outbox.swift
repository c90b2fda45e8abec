import Core
import Postgres

extension PostgresPaymentStore: Outbox {
    /// A row is next when none before it waits, of replies to the same queue; who takes it moves its due time on, so that others leave it alone. Events come last: a
    /// listener that takes none holds up no reply.
    static let takeStatement = """
        WITH next AS (
            SELECT o.id FROM outbox o
            WHERE o.sent_at IS NULL AND o.due_at <= now() AND NOT EXISTS (
                SELECT FROM outbox before
                WHERE before.payment_id = o.payment_id AND before.destination = o.destination AND before.id < o.id
                    AND before.sent_at IS NULL
                    AND (o.destination <> 'reply' OR before.address IS NOT DISTINCT FROM o.address)
            )
            ORDER BY o.destination = 'event', o.due_at LIMIT $1 FOR UPDATE OF o SKIP LOCKED
        )
        UPDATE outbox o SET due_at = clock_timestamp() + $2 * interval '1 microsecond', attempts = o.attempts + 1
        FROM next WHERE o.id = next.id
        RETURNING \(OutboxRow.columns)
        """

    func enqueueAwaited(limit: Int) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try AwaitedReplies.enqueueEnded(limit: limit, on: connection)
        }
    }

    func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry] {
        let rows = try await sweeps.storeTransaction { connection throws(PostgresError) in
            try connection.execute(
                Self.takeStatement,
                [.int8(Int64(limit)), .int8(hold.microseconds)]
            )
        }
        var entries: [OutboxEntry] = []
        do throws(PostgresError) {
            for row in rows { entries.append(try OutboxRow.entry(from: row)) }
        } catch {
            throw StoreError(error)
        }
        return entries.sorted { $0.id < $1.id }
    }

    func note(_ endings: [OutboxEnding]) async throws(StoreError) {
        let undeliverable = endings.compactMap { $0.outcome == .undeliverable ? $0.entry.content : nil }
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try connection.enqueue(
                """
                UPDATE outbox o
                SET sent_at = CASE WHEN n.pause IS NULL THEN clock_timestamp() END,
                    is_undeliverable = n.is_undeliverable,
                    due_at = CASE WHEN n.pause IS NULL THEN o.due_at
                             ELSE clock_timestamp() + n.pause * interval '1 microsecond' END
                FROM unnest($1::bigint[], $2::bigint[], $3::boolean[], $4::uuid[], $5::text[])
                    AS n (id, pause, is_undeliverable, payment_id, message_id)
                WHERE o.id = n.id AND o.sent_at IS NULL
                    AND o.payment_id = n.payment_id AND o.message_id IS NOT DISTINCT FROM n.message_id
                """,
                [
                    .int8Array(endings.map(\.entry.id.value)),
                    .int8Array(endings.map(\.pause)),
                    .boolArray(endings.map { $0.outcome == .undeliverable }),
                    .uuidArray(endings.map { PostgresUUID($0.entry.content.paymentID.value) }),
                    .textArray(endings.map(\.entry.content.message.messageID)),
                ]
            )
            _ = try connection.execute(
                """
                UPDATE operations o SET undeliverable_at = coalesce(undeliverable_at, now())
                FROM unnest($1::uuid[], $2::uuid[]) AS n (payment_id, id)
                WHERE o.payment_id = n.payment_id AND o.id = n.id
                """,
                [
                    .uuidArray(undeliverable.map { PostgresUUID($0.paymentID.value) }),
                    .uuidArray(undeliverable.map { $0.operationID.map { PostgresUUID($0.value) } }),
                ]
            )
        }
    }
}

extension OutboxEnding {
    /// In microseconds, `nil` where it is done with.
    fileprivate var pause: Int64? {
        if case .postponed(let pause) = outcome { return pause.microseconds }
        return nil
    }
}

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

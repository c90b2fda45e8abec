import Core
import Postgres

/// Notes what was reported, where no other attempt has begun since.
struct NotificationWriter: Sendable {
    private let notes: [NotificationRecord]

    /// Rows are written in the order of their keys, as claims write them.
    init(_ notes: [NotificationRecord]) {
        self.notes = notes.sorted {
            ($0.operation.merchantID, $0.operation.idempotencyKey)
                < ($1.operation.merchantID, $1.operation.idempotencyKey)
        }
    }

    /// Sends the statements along with the next one, unless there are events to relay.
    ///
    /// - Parameter hasRoom: whether the outbox takes events; where it does not, they stay due.
    func write(on connection: isolated PostgresConnection, hasRoom: Bool = true) throws(PostgresError) {
        if notes.isEmpty { return }
        let statement = update(hasRoom: hasRoom)
        guard notes.contains(where: { !$0.events.isEmpty }) else {
            return try connection.enqueue(statement.sql, statement.parameters)
        }
        // Only what this note is the first of: what was reported before was reported whole.
        var notified: Set<PostgresUUID> = []
        for row in try connection.execute(statement.sql, statement.parameters) { notified.insert(try row.uuid(0)) }
        let relayed = notes.filter { notified.contains(PostgresUUID($0.operation.id.value)) && !$0.events.isEmpty }
        if hasRoom {
            let messages = relayed.flatMap { note in
                note.events.map { OutboxMessage($0, of: note.operation.paymentID) }
            }
            try OutboxWriter(messages).write(on: connection)
        } else {
            try Self.keepDue(relayed.map(\.operation), on: connection)
        }
    }

    private func update(hasRoom: Bool) -> (sql: String, parameters: [PostgresValue]) {
        let operations = notes.map(\.operation)
        return (
            """
            UPDATE operations o
            SET notified_at = coalesce(o.notified_at, clock_timestamp()), events_due = n.are_events_due,
                undeliverable_at = CASE WHEN n.is_undeliverable THEN coalesce(o.undeliverable_at, clock_timestamp())
                                   ELSE o.undeliverable_at END
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::boolean[], $7::boolean[])
                AS n (merchant_id, idempotency_key, id, fencing_token, state, is_undeliverable, are_events_due)
            WHERE o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key AND o.id = n.id
                AND o.fencing_token = n.fencing_token AND o.state = n.state
                AND (o.notified_at IS NULL OR n.is_undeliverable AND o.undeliverable_at IS NULL OR o.events_due)
            RETURNING o.id
            """,
            [
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .uuidArray(operations.map { PostgresUUID($0.id.value) }),
                .int8Array(operations.map(\.fencingToken)),
                .textArray(operations.map(\.state.rawValue)),
                .boolArray(notes.map(\.isUndeliverable)),
                .boolArray(notes.map { !hasRoom && !$0.events.isEmpty }),
            ]
        )
    }

    /// The sweep comes by for them.
    private static func keepDue(
        _ operations: [Operation],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.enqueue(
            """
            INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
            SELECT id, merchant_id, idempotency_key, payment_id, clock_timestamp()
            FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS n (id, merchant_id, idempotency_key, payment_id)
            ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(operations.map { PostgresUUID($0.id.value) }),
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .uuidArray(operations.map { PostgresUUID($0.paymentID.value) }),
            ]
        )
    }
}

/// That the broker has what there was to report of an operation's end.
struct NotificationRecord: Sendable {
    let operation: Operation
    /// No queue took its final reply (docs/correctness.md#reply-queue-gone).
    let isUndeliverable: Bool
    /// Those that the broker has not taken.
    var events: [PaymentEvent] = []
}

import Core
import Postgres

/// Notes what was told, where no other attempt has begun since.
struct ToldWriter: Sendable {
    private let notes: [ToldNote]

    /// Rows are written in the order of their keys, as claims write them.
    init(_ notes: [ToldNote]) {
        self.notes = notes.sorted {
            ($0.operation.merchantID, $0.operation.idempotencyKey)
                < ($1.operation.merchantID, $1.operation.idempotencyKey)
        }
    }

    /// Sends the statement along with the next one.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if notes.isEmpty { return }
        let operations = notes.map(\.operation)
        try connection.enqueue(
            """
            UPDATE operations o
            SET told_at = coalesce(o.told_at, clock_timestamp()),
                undeliverable_at = CASE WHEN n.is_undeliverable THEN coalesce(o.undeliverable_at, clock_timestamp())
                                   ELSE o.undeliverable_at END
            FROM unnest($1::text[], $2::text[], $3::uuid[], $4::bigint[], $5::text[], $6::boolean[])
                AS n (merchant_id, idempotency_key, id, fence, state, is_undeliverable)
            WHERE o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key AND o.id = n.id
                AND o.fence = n.fence AND o.state = n.state
                AND (o.told_at IS NULL OR n.is_undeliverable AND o.undeliverable_at IS NULL)
            """,
            [
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .uuidArray(operations.map { PostgresUUID($0.id.value) }),
                .int8Array(operations.map(\.fence)),
                .textArray(operations.map(\.state.rawValue)),
                .boolArray(notes.map(\.isUndeliverable)),
            ]
        )
    }
}

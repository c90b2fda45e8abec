import Core
import Postgres

/// Dead letters in PostgreSQL.
struct PostgresDeadLetterStore: Sendable {
    let pool: PostgresPool
}

extension PostgresDeadLetterStore: DeadLetterIntake {
    func keep(_ deadLetter: DeadLetter) async throws(StoreError) -> DeadLetterKept {
        try await pool.storeTransaction { connection throws(PostgresError) in
            if deadLetter.opensOperation {
                try connection.enqueue(OperationOpening.paymentLock, [deadLetter.paymentParameter])
            }
            let rows = try connection.execute(DeadLetterRow.insert, DeadLetterRow.parameters(of: deadLetter))
            guard !rows.isEmpty else { return .known }
            if deadLetter.opensOperation { try OperationOpening(deadLetter).write(on: connection) }
            return .stored
        }
    }

    func countReturn(
        of identity: String,
        _ instance: FailureInstance,
        limit: Int
    ) async throws(StoreError) -> Int? {
        try await pool.storeTransaction { connection throws(PostgresError) in
            // The row decides and counts in one statement, so any number of ingesters may try at the same time.
            _ = try connection.execute(
                """
                INSERT INTO dead_letter_returns AS r (message, times, instances, last_at)
                VALUES ($1, 1, $2, clock_timestamp())
                ON CONFLICT (message) DO UPDATE
                SET times = r.times + 1, instances = r.instances || EXCLUDED.instances, last_at = EXCLUDED.last_at
                WHERE NOT r.instances @> EXCLUDED.instances AND r.times < $3
                """,
                [.text(identity), .bytesArray([instance.bytes]), .int4(Int32(limit))]
            )
            let rows = try connection.execute(
                "SELECT times FROM dead_letter_returns WHERE message = $1 AND instances @> $2",
                [.text(identity), .bytesArray([instance.bytes])]
            )
            guard let row = rows.first else { return nil }
            return Int(try row.int32(0))
        }
    }
}

extension DeadLetter {
    fileprivate var opensOperation: Bool {
        failure.source == .broker && command.kind != nil && command.paymentID != nil && command.merchantID != nil
            && command.idempotencyKey != nil
    }

    var paymentParameter: PostgresValue {
        .optional(command.paymentID.map { PostgresUUID($0.value) }, PostgresValue.uuid)
    }
}

/// Hands an open operation, whose command the broker has given up, to manual review; and gives it back to the
/// processor.
///
/// The payment is locked first, as every transaction does.
struct OperationOpening: Sendable {
    static let paymentLock = "SELECT 1 FROM payments WHERE id = $1 FOR UPDATE"

    private let deadLetter: DeadLetter

    init(_ deadLetter: DeadLetter) {
        self.deadLetter = deadLetter
    }

    /// Not while somebody may be at the bank for it. A holder that never came back may have sent its request.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        try connection.enqueue(
            """
            WITH opened AS (
                UPDATE operations
                SET state = 'NEEDS_ATTENTION', last_error = $4, notified_at = NULL,
                    ambiguous_sends = ambiguous_sends
                        + (state = 'SENT' AND failed_fencing_token IS DISTINCT FROM fencing_token)::integer,
                    failed_sends = failed_sends + (state = 'SENT' AND failed_fencing_token IS NOT DISTINCT FROM fencing_token)::integer
                WHERE merchant_id = $1 AND idempotency_key = $2 AND payment_id = $3 AND kind = $5
                    AND state IN ('SENT', 'UNKNOWN') AND lease_until <= clock_timestamp()
                RETURNING id, payment_id, kind
            )
            \(Self.note("kind || ' needs attention: dead letter ' || $4", of: "opened"))
            """,
            [
                .optional(deadLetter.command.merchantID?.description, PostgresValue.text),
                .optional(deadLetter.command.idempotencyKey?.description, PostgresValue.text),
                deadLetter.paymentParameter,
                .text(deadLetter.failure.code), .optional(deadLetter.command.kind?.rawValue, PostgresValue.text),
            ]
        )
    }

    /// Its lease is over at once, and its attempts count anew.
    static func reopen(_ operation: Operation, on connection: isolated PostgresConnection) throws(PostgresError) {
        try connection.enqueue(
            """
            WITH reopened AS (
                UPDATE operations SET state = 'UNKNOWN', attempts = 0, lease_until = clock_timestamp()
                WHERE merchant_id = $1 AND idempotency_key = $2 AND id = $3 AND fencing_token = $4 AND state = 'NEEDS_ATTENTION'
                RETURNING id, payment_id, kind, merchant_id, idempotency_key, lease_until
            ), watched AS (
                INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
                SELECT id, merchant_id, idempotency_key, payment_id, lease_until FROM reopened ON CONFLICT DO NOTHING
            )
            \(note("kind || ' reopened: its dead letter is replayed'", of: "reopened"))
            """,
            [
                .text(operation.merchantID.description), .text(operation.idempotencyKey.description),
                .uuid(PostgresUUID(operation.id.value)), .int8(operation.fencingToken),
            ]
        )
    }

    private static func note(_ cause: String, of changed: String) -> String {
        """
        INSERT INTO payment_history (payment_id, at, from_status, to_status, operation, cause, operation_id)
        SELECT p.id, clock_timestamp(), p.status, p.status, c.kind, \(cause), c.id
        FROM \(changed) c JOIN payments p ON p.id = c.payment_id
        """
    }
}

import Core
import Postgres

/// Writes that operations are in other hands. Guarded by the lock on their payments.
struct TakenOperations: Sendable {
    private let operations: [Operation]

    init(_ operations: [Operation]) {
        self.operations = operations
    }

    /// Sends the statement along with the next one.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if operations.isEmpty { return }
        try connection.enqueue(
            """
            UPDATE operations o
            SET state = n.state, fencing_token = n.fencing_token, lease_until = n.lease_until, claim_token = n.claim_token,
                attempts = n.attempts, ambiguous_sends = n.ambiguous_sends, first_sent_at = n.first_sent_at,
                failed_sends = n.failed_sends
            FROM unnest(
                $1::text[], $2::text[], $3::text[], $4::bigint[], $5::timestamptz[], $6::uuid[], $7::integer[], $8::integer[],
                $9::timestamptz[], $10::integer[]
            ) AS n (
                merchant_id, idempotency_key, state, fencing_token, lease_until, claim_token, attempts, ambiguous_sends,
                first_sent_at, failed_sends
            )
            WHERE o.merchant_id = n.merchant_id AND o.idempotency_key = n.idempotency_key
            """,
            [
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .textArray(operations.map(\.state.rawValue)),
                .int8Array(operations.map(\.fencingToken)),
                .timestampArray(operations.map(\.leaseUntil.microseconds)),
                .uuidArray(operations.map { PostgresUUID($0.claimToken.value) }),
                .int4Array(operations.map { Int32($0.attempts) }),
                .int4Array(operations.map { Int32($0.sends.unanswered) }),
                .timestampArray(operations.map { $0.firstSentAt?.microseconds }),
                .int4Array(operations.map { Int32($0.sends.failed) }),
            ]
        )
    }
}

import Core
import Postgres

extension PostgresPaymentStore: ResolutionStore {
    func takeForResolution(
        _ seen: Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim? {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            // The payment first, as every transaction locks; what is read after that is the latest there is.
            let rows = try connection.execute([
                PostgresStatement(
                    "SELECT \(PaymentRow.columns) FROM payments WHERE id = $1 FOR UPDATE",
                    [.uuid(PostgresUUID(seen.paymentID.value))]
                ),
                PostgresStatement(
                    """
                    SELECT clock_timestamp(), \(OperationRow.columns) FROM operations o
                    WHERE o.merchant_id = $1 AND o.idempotency_key = $2
                    """,
                    [.text(seen.merchantID.description), .text(seen.idempotencyKey.description)]
                ),
            ])
            guard let payment = rows[0].first, let row = rows[1].first else { return nil }
            let now = Timestamp(microseconds: try row.timestamp(0))
            let stored = try OperationRow.operation(from: row, at: 1)
            guard let taken = stored.takenForResolution(as: seen, by: token, lease: lease, now: now) else { return nil }
            try TakenOperations([taken]).write(on: connection)
            // Where nobody completes it, the sweep finds it soon after the lease.
            try connection.enqueue(
                """
                INSERT INTO open_operations AS o (operation_id, merchant_id, idempotency_key, payment_id, due_at)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (operation_id) DO UPDATE SET due_at = least(o.due_at, excluded.due_at)
                """,
                [
                    .uuid(PostgresUUID(taken.id.value)), .text(taken.merchantID.description),
                    .text(taken.idempotencyKey.description), .uuid(PostgresUUID(taken.paymentID.value)),
                    .timestamp(taken.leaseUntil.microseconds),
                ]
            )
            return Claim(operation: taken, payment: try PaymentRow.payment(from: payment))
        }
    }

    func owner(ofBankID id: String) async throws(StoreError) -> PaymentID? {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute("SELECT payment_id FROM bank_effects WHERE bank_id = $1", [.text(id)])
            guard let row = rows.first else { return nil }
            return PaymentID(UniqueID(try row.uuid(0)))
        }
    }
}

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

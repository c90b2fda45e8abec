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

import Core
import Postgres

extension PostgresPaymentQueries: PaymentLedger {
    func page(
        after last: PaymentID?,
        since: Timestamp?,
        limit: Int
    ) async throws(StoreError) -> [Payment] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT \(PaymentRow.columns) FROM payments
                WHERE ($1::uuid IS NULL OR id > $1) AND ($2::timestamptz IS NULL OR created_at >= $2)
                ORDER BY id LIMIT $3
                """,
                [
                    .optional(last.map { PostgresUUID($0.value) }, PostgresValue.uuid),
                    .optional(since?.microseconds, PostgresValue.timestamp), .int8(Int64(limit)),
                ]
            )
            var payments: [Payment] = []
            for row in rows { payments.append(try PaymentRow.payment(from: row)) }
            return payments
        }
    }
}

import Core
import Postgres

extension PostgresPaymentQueries: PaymentLedger {
    func page(
        after last: PaymentID?,
        since: Timestamp?,
        limit: Int
    ) async throws(StoreError) -> [LedgerPayment] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT \(PaymentRow.columns), grade FROM payments LEFT JOIN possible_orphans ON payment_id = id
                WHERE ($1::uuid IS NULL OR id > $1) AND ($2::timestamptz IS NULL OR created_at >= $2)
                ORDER BY id LIMIT $3
                """,
                [
                    .optional(last.map { PostgresUUID($0.value) }, PostgresValue.uuid),
                    .optional(since?.microseconds, PostgresValue.timestamp), .int8(Int64(limit)),
                ]
            )
            var payments: [LedgerPayment] = []
            for row in rows {
                payments.append(
                    LedgerPayment(try PaymentRow.payment(from: row), orphan: try OrphanRow.grade(from: row))
                )
            }
            return payments
        }
    }
}

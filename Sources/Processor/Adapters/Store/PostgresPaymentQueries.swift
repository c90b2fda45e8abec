import Core
import Postgres

/// The questions about payments, answered from PostgreSQL.
struct PostgresPaymentQueries: PaymentQueries {
    let pool: PostgresPool

    func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        // One transaction with one snapshot, so that payment, history and operations fit each other.
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            let key = PostgresValue.uuid(PostgresUUID(id.value))
            let payments = try connection.execute("SELECT \(PaymentRow.columns) FROM payments WHERE id = $1", [key])
            guard let row = payments.first else { return nil }
            return PaymentView(
                payment: try PaymentRow.payment(from: row),
                history: try history(key, on: connection),
                operations: try operations(key, on: connection)
            )
        }
    }

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        let column: String
        let value: String
        switch query.selection {
        case .order(let id): (column, value) = ("order_id", id)
        case .customer(let id): (column, value) = ("customer_id", id)
        }
        let rows = try await pool.storeTransaction { connection throws(PostgresError) in
            try connection.execute(
                """
                SELECT \(PaymentRow.columns) FROM payments
                WHERE \(column) = $1 AND ($2::text IS NULL OR merchant_id = $2)
                    AND ($3::timestamptz IS NULL OR (created_at, id) < ($3, $4::uuid))
                ORDER BY created_at DESC, id DESC
                LIMIT $5
                """,
                [
                    .text(value),
                    .optional(query.merchantID?.description, PostgresValue.text),
                    .optional(query.after?.createdAt.microseconds, PostgresValue.timestamp),
                    .optional(query.after.map { PostgresUUID($0.id.value) }, PostgresValue.uuid),
                    // One more than asked for tells whether there is another page.
                    .int8(Int64(query.limit + 1)),
                ]
            )
        }
        do throws(PostgresError) {
            var payments: [Payment] = []
            for row in rows.prefix(query.limit) { payments.append(try PaymentRow.payment(from: row)) }
            let last = rows.count > query.limit ? payments.last : nil
            return PaymentPage(
                payments: payments,
                next: last.map { PageCursor(createdAt: $0.createdAt, id: $0.id) }
            )
        } catch {
            throw StoreError(error)
        }
    }

    private func history(
        _ key: PostgresValue,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [HistoryEntry] {
        let rows = try connection.execute(
            """
            SELECT at, cause, from_status, to_status, operation FROM payment_history
            WHERE payment_id = $1 ORDER BY at, version
            """,
            [key]
        )
        var entries: [HistoryEntry] = []
        for row in rows {
            entries.append(
                HistoryEntry(
                    at: Timestamp(microseconds: try row.timestamp(0)),
                    cause: try row.text(1),
                    from: try row.isNull(2) ? nil : try row.parsed(2, PaymentStatus.init),
                    to: try row.parsed(3, PaymentStatus.init),
                    operation: try row.parsed(4, OperationKind.init(rawValue:))
                )
            )
        }
        return entries
    }

    private func operations(
        _ key: PostgresValue,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [Operation] {
        let rows = try connection.execute(
            "SELECT \(OperationRow.columns) FROM operations o WHERE o.payment_id = $1 ORDER BY o.created_at, o.id",
            [key]
        )
        var operations: [Operation] = []
        for row in rows { operations.append(try OperationRow.operation(from: row)) }
        return operations
    }
}

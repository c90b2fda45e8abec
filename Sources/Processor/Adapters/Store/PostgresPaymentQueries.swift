import Core
import Postgres

/// The questions about payments, answered from PostgreSQL.
struct PostgresPaymentQueries: PaymentQueries {
    let pool: PostgresPool

    func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
        // One transaction with one snapshot, so that payment, history and operations fit each other.
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            let key = PostgresValue.uuid(PostgresUUID(id.value))
            let payments = try connection.execute(
                """
                SELECT \(PaymentRow.columns), grade FROM payments LEFT JOIN possible_orphans ON payment_id = id
                WHERE id = $1
                """,
                [key]
            )
            guard let row = payments.first else { return nil }
            return PaymentView(
                payment: try PaymentRow.payment(from: row),
                history: try history(key, on: connection),
                operations: try operations(key, on: connection),
                orphan: try OrphanRow.grade(from: row)
            )
        }
    }

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        let list = PaymentListStatement(query)
        return try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(list.sql, list.parameters)
            var payments: [Payment] = []
            var orphans: [PaymentID: PossibleOrphan] = [:]
            var last: PageCursor?
            for row in rows.prefix(query.limit) {
                let payment = try PaymentRow.payment(from: row)
                payments.append(payment)
                if list.tellsOrphans { orphans[payment.id] = try OrphanRow.grade(from: row) }
                last = PageCursor(at: Timestamp(microseconds: try row.timestamp("place")), id: payment.id)
            }
            return PaymentPage(payments: payments, next: rows.count > query.limit ? last : nil, orphans: orphans)
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

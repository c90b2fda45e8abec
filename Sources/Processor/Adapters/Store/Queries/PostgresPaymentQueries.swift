import Core
import Postgres

/// The questions about payments, answered from PostgreSQL.
struct PostgresPaymentQueries: PaymentQueries {
    let pool: PostgresPool
    /// How many payments are read for a page of a list.
    var reach = PaymentListStatement.reach

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
            let operations = try operations(key, on: connection)
            return PaymentView(
                payment: try PaymentRow.payment(from: row),
                history: try history(key, on: connection),
                operations: operations.map(\.operation),
                orphan: try OrphanRow.grade(from: row),
                attempts: try attempts(key, at: operations, on: connection),
                replays: try replays(key, on: connection)
            )
        }
    }

    func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
        let list = PaymentListStatement(query, reach: reach)
        return try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(list.sql, list.parameters)
            var payments: [Payment] = []
            var orphans: [PaymentID: PossibleOrphan] = [:]
            var last: PageCursor?
            for row in rows.prefix(query.limit) {
                let payment = try PaymentRow.payment(from: row)
                payments.append(payment)
                if list.gradesOrphans { orphans[payment.id] = try OrphanRow.grade(from: row) }
                last = PageCursor(at: Timestamp(microseconds: try row.timestamp("place")), id: payment.id)
            }
            if rows.count <= query.limit {
                // All that was walked has been shown; there is more where the walk broke off.
                last = try list.end.flatMap { end throws(PostgresError) in try Self.end(end, on: connection) }
            }
            return PaymentPage(payments: payments, next: last, orphans: orphans)
        }
    }

    private static func end(
        _ statement: PostgresStatement,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> PageCursor? {
        let rows = try connection.execute(statement.sql, statement.parameters)
        guard rows.count == 2, let row = rows.first else { return nil }
        return PageCursor(at: Timestamp(microseconds: try row.timestamp(0)), id: PaymentID(UniqueID(try row.uuid(1))))
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
    ) throws(PostgresError) -> [CompletedOperation] {
        let rows = try connection.execute(
            """
            SELECT \(OperationRow.columns), o.completed_at FROM operations o
            WHERE o.payment_id = $1 ORDER BY o.created_at, o.id
            """,
            [key]
        )
        var operations: [CompletedOperation] = []
        for row in rows {
            operations.append(
                CompletedOperation(
                    operation: try OperationRow.operation(from: row),
                    at: try row.optionalInstant(OperationRow.count)
                )
            )
        }
        return operations
    }
}

/// An operation, and when it was completed.
struct CompletedOperation {
    let operation: Operation
    let at: Timestamp?
}

extension PostgresPaymentQueries {
    /// The requests that completed an operation are read from the operations themselves.
    func attempts(
        _ payment: PostgresValue,
        at operations: [CompletedOperation],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [BankAttemptRecord] {
        var attempts = operations.compactMap { entry in
            entry.at.flatMap { BankAttemptRecord(completing: entry.operation, at: $0) }
        }
        let rows = try connection.execute(
            """
            SELECT operation_id, at, verdict, http_status, code, tier FROM operation_attempts
            WHERE payment_id = $1 ORDER BY at, fencing_token, position
            """,
            [payment]
        )
        for row in rows {
            let id = OperationID(UniqueID(try row.uuid(0)))
            guard let operation = operations.first(where: { $0.operation.id == id })?.operation else { continue }
            attempts.append(
                BankAttemptRecord(
                    at: Timestamp(microseconds: try row.timestamp(1)),
                    operation: operation.kind,
                    idempotencyKey: operation.idempotencyKey,
                    verdict: try row.parsed(2, BankCallVerdict.init(rawValue:)),
                    status: try row.optionalInt32(3).map(Int.init),
                    code: try row.optionalText(4),
                    tier: try row.isNull(5) ? nil : try row.parsed(5, RetryTier.init(rawValue:))
                )
            )
        }
        return attempts.sorted { $0.at < $1.at }
    }

    func replays(
        _ payment: PostgresValue,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [ReplayRecord] {
        let rows = try connection.execute(
            """
            SELECT a.at, a.dead_letter_id, a.actor, a.result
            FROM dead_letters l JOIN dead_letter_audit a ON a.dead_letter_id = l.id
            WHERE l.payment_id = $1 AND a.action = 'replay' ORDER BY a.at, a.position
            """,
            [payment]
        )
        var replays: [ReplayRecord] = []
        for row in rows {
            replays.append(
                ReplayRecord(
                    at: Timestamp(microseconds: try row.timestamp(0)),
                    deadLetterID: DeadLetterID(UniqueID(try row.uuid(1))),
                    actor: try row.text(2),
                    result: try row.text(3)
                )
            )
        }
        return replays
    }
}

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

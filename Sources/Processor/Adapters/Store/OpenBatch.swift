import Core
import Postgres

/// One check of the reconciling sweep, in one transaction.
struct OpenBatch: Sendable {
    private let check: OpenCheck
    private let hasRoomForEvents: Bool

    init(_ check: OpenCheck, hasRoomForEvents: Bool) {
        self.check = check
        self.hasRoomForEvents = hasRoomForEvents
    }

    /// Until events that the outbox has no room for are checked again.
    private static let pause = Duration.seconds(60)

    func run(on connection: isolated PostgresConnection) throws(PostgresError) -> OpenFindings {
        let due = try connection.execute(
            Self.dueStatement,
            [.optional(check.dueBy?.microseconds, PostgresValue.timestamp), .int8(Int64(check.limit))]
        )
        var checks: [OperationID: Int] = [:]
        var keys: [(merchant: String, key: String)] = []
        var payments: [PostgresUUID] = []
        for row in due {
            checks[OperationID(UniqueID(try row.uuid(0)))] = Int(try row.int32(4))
            keys.append((try row.text(1), try row.text(2)))
            payments.append(try row.uuid(3))
        }
        // The locks on their payments, in the order of their ids as every transaction takes them; what is read after that is
        // the latest there is.
        let rows = try connection.execute([
            PostgresStatement(
                "SELECT \(PaymentRow.columns) FROM payments WHERE id = ANY ($1::uuid[]) ORDER BY id FOR UPDATE",
                [.uuidArray(payments)]
            ),
            PostgresStatement(
                """
                SELECT \(OperationRow.columns) FROM unnest($1::text[], $2::text[]) AS k (merchant_id, idempotency_key)
                JOIN operations o ON o.merchant_id = k.merchant_id AND o.idempotency_key = k.idempotency_key
                """,
                [.textArray(keys.map(\.merchant)), .textArray(keys.map(\.key))]
            ),
            PostgresStatement("SELECT clock_timestamp()"),
        ])
        let now = Timestamp(microseconds: try rows[2].single().timestamp(0))
        return try decide(rows[1], payments: try Self.payments(in: rows[0]), checks: checks, now: now, on: connection)
    }

    private func decide(
        _ rows: PostgresResult,
        payments: [PaymentID: Payment],
        checks: [OperationID: Int],
        now: Timestamp,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> OpenFindings {
        var findings = OpenFindings(now: now)
        var forgotten: [OperationID] = []
        var notified: [(operation: Operation, payment: Payment)] = []
        var moved: [(id: OperationID, dueAt: Timestamp)] = []
        for row in rows {
            let operation = try OperationRow.operation(from: row)
            switch OpenDecision(operation, checks: checks[operation.id] ?? 0, check, now: now) {
            case .forget:
                forgotten.append(operation.id)
            case .notify where operation.isNotified && !hasRoomForEvents:
                moved.append((operation.id, now.advanced(by: Self.pause)))
                findings.waiting += 1
            case .notify:
                guard let payment = payments[operation.paymentID] else { continue }
                notified.append((operation, payment))
            case .wait(let until):
                moved.append((operation.id, until))
                findings.waiting += 1
            case .take(let taken, let next):
                guard let payment = payments[taken.paymentID] else { continue }
                moved.append((taken.id, next))
                findings.claims.append(Claim(operation: taken, payment: payment))
            }
        }
        findings.forgotten = forgotten.count
        findings.notified = notified.count
        try notify(notified, on: connection)
        try TakenOperations(findings.claims.map(\.operation)).write(on: connection)
        try connection.enqueue(
            """
            UPDATE open_operations w SET due_at = n.due_at, checks = w.checks + 1
            FROM unnest($1::uuid[], $2::timestamptz[]) AS n (id, due_at) WHERE w.operation_id = n.id
            """,
            [
                .uuidArray(moved.map { PostgresUUID($0.id.value) }),
                .timestampArray(moved.map(\.dueAt.microseconds)),
            ]
        )
        try connection.enqueue(
            "DELETE FROM open_operations WHERE operation_id = ANY ($1::uuid[])",
            [.uuidArray((forgotten + notified.map(\.operation.id)).map { PostgresUUID($0.value) })]
        )
        return findings
    }

    private func notify(
        _ notified: [(operation: Operation, payment: Payment)],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try NotificationWriter(notified.map { NotificationRecord(operation: $0.operation, isUndeliverable: false) })
            .write(on: connection)
        let waiting = notified.map(\.operation).filter { $0.state == .needsAttention }
        let known = waiting.isEmpty ? [] : try Self.withDeadLetters(waiting, on: connection)
        let messages = notified.flatMap { entry in
            OutboxMessage.notifying(entry.operation, entry.payment, hasDeadLetter: known.contains(entry.operation.id))
        }
        try OutboxWriter(messages).write(on: connection)
    }

    /// Those of which there is a dead letter already: the broker had given their command up.
    private static func withDeadLetters(
        _ operations: [Operation],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Set<OperationID> {
        let rows = try connection.execute(
            """
            SELECT n.id FROM unnest($1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[])
                AS n (id, payment_id, merchant_id, idempotency_key, kind)
            WHERE EXISTS (
                SELECT FROM dead_letters l
                WHERE l.payment_id = n.payment_id AND l.merchant_id = n.merchant_id
                    AND l.idempotency_key = n.idempotency_key AND l.operation = n.kind AND l.state IN ('open', 'replaying')
            )
            """,
            [
                .uuidArray(operations.map { PostgresUUID($0.id.value) }),
                .uuidArray(operations.map { PostgresUUID($0.paymentID.value) }),
                .textArray(operations.map(\.merchantID.description)),
                .textArray(operations.map(\.idempotencyKey.description)),
                .textArray(operations.map(\.kind.rawValue)),
            ]
        )
        var known: Set<OperationID> = []
        for row in rows { known.insert(OperationID(UniqueID(try row.uuid(0)))) }
        return known
    }

    private static func payments(in rows: PostgresResult) throws(PostgresError) -> [PaymentID: Payment] {
        var payments: [PaymentID: Payment] = [:]
        for row in rows {
            let payment = try PaymentRow.payment(from: row)
            payments[payment.id] = payment
        }
        return payments
    }

    static let dueStatement = """
        SELECT operation_id, merchant_id, idempotency_key, payment_id, checks FROM open_operations
        WHERE due_at <= coalesce($1, now()) ORDER BY due_at LIMIT $2 FOR UPDATE SKIP LOCKED
        """
}

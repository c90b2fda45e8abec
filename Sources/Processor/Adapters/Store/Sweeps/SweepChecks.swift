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

/// One check of the expiring sweep, in one transaction.
struct AuthorizationBatch: Sendable {
    private let check: AuthorizationCheck

    init(_ check: AuthorizationCheck) {
        self.check = check
    }

    static let dueStatement = """
        SELECT payment_id, checks FROM bank_effects
        WHERE next_check_at IS NOT NULL AND next_check_at <= $1 ORDER BY next_check_at LIMIT $2 FOR UPDATE SKIP LOCKED
        """

    func run(on connection: isolated PostgresConnection) throws(PostgresError) -> AuthorizationFindings {
        let due = try connection.execute(
            Self.dueStatement,
            [.timestamp(check.expiredBy.microseconds), .int8(Int64(check.limit))]
        )
        var checks: [PaymentID: Int] = [:]
        for row in due { checks[PaymentID(UniqueID(try row.uuid(0)))] = Int(try row.int32(1)) }
        let ids = Array(checks.keys)
        let rows = try connection.execute(
            "SELECT \(PaymentRow.columns) FROM payments WHERE id = ANY ($1::uuid[])",
            [.uuidArray(ids.map { PostgresUUID($0.value) })]
        )
        var findings = AuthorizationFindings()
        var next: [(id: PaymentID, at: Timestamp?)] = []
        for row in rows {
            let payment = try PaymentRow.payment(from: row)
            let random = check.random ^ payment.id.value.low
            let pause = check.policy.backoff(checks: checks[payment.id] ?? 0, random: random)
            var nextCheckAt: Timestamp? = check.expiredBy.advanced(by: pause)
            switch AuthorizationDecision(payment, voidsExpired: check.voidsExpired) {
            case .ask: findings.needingCheck.append(payment)
            case .void: findings.voidable.append(payment)
            case .wait: findings.waiting += 1
            case .forget:
                nextCheckAt = nil
                findings.forgotten += 1
            }
            next.append((payment.id, nextCheckAt))
        }
        try connection.enqueue(
            """
            UPDATE bank_effects e SET next_check_at = n.next_check_at, checks = e.checks + 1
            FROM unnest($1::uuid[], $2::timestamptz[]) AS n (payment_id, next_check_at)
            WHERE e.payment_id = n.payment_id AND e.kind = 'authorize'
            """,
            [
                .uuidArray(next.map { PostgresUUID($0.id.value) }),
                .timestampArray(next.map { $0.at?.microseconds }),
            ]
        )
        return findings
    }
}

/// Writes that an authorization has expired, where that still holds under the payment's lock: the row, the step of the
/// history, and the event.
struct ExpiryWriter: Sendable {
    private let proof: ExpiryProof

    init(_ proof: ExpiryProof) {
        self.proof = proof
    }

    /// - Returns: false where something has come in between.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) -> Bool {
        let key = PostgresValue.uuid(PostgresUUID(proof.paymentID.value))
        let rows = try connection.execute([
            PostgresStatement("SELECT \(PaymentRow.columns) FROM payments WHERE id = $1 FOR UPDATE", [key]),
            PostgresStatement(
                "SELECT operation_id FROM bank_effects WHERE payment_id = $1 AND kind = 'authorize'",
                [key]
            ),
        ])
        guard let row = rows[0].first, let effect = rows[1].first else { return false }
        let operation = OperationID(UniqueID(try effect.uuid(0)))
        guard let expiry = Expiry(proof, try PaymentRow.payment(from: row), operation: operation) else { return false }
        try connection.enqueue(
            "UPDATE payments SET status = $2, version = $3 WHERE id = $1",
            [key, .text(expiry.payment.status.rawValue), .int8(expiry.payment.version)]
        )
        try HistoryWriter([(expiry.transition, operation)]).write(on: connection)
        try OutboxWriter([expiry.event]).write(on: connection)
        return true
    }
}

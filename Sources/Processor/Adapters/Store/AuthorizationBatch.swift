import Core
import Postgres

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

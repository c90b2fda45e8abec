import Core
import Postgres

/// The console's own questions, answered from PostgreSQL.
struct PostgresConsoleQueries: ConsoleQueries {
    let pool: PostgresPool

    /// A dead letter leads to its operation by the key: one step of an index for each, however large the table of the operations is.
    private static let reviewStatement = """
        SELECT \(PaymentRow.columns), operation_kind, operation_merchant, operation_key, operation_error,
            failure_id, failure_state, failed_at
        FROM (
            SELECT o.kind AS operation_kind, l.merchant AS operation_merchant, l.key AS operation_key,
                o.last_error AS operation_error, o.payment_id AS operation_payment,
                l.id AS failure_id, l.state AS failure_state, l.dead_lettered_at AS failed_at
            FROM (
                SELECT DISTINCT ON (merchant, key) coalesce(d.merchant_id, 'default') AS merchant, d.idempotency_key AS key,
                    d.id, d.state, d.dead_lettered_at
                FROM dead_letters d
                WHERE d.state IN ('open', 'replaying', 'discarded') AND d.idempotency_key IS NOT NULL
                    AND ($1::uuid IS NULL OR d.payment_id = $1)
                ORDER BY merchant, key, d.state <> 'discarded' DESC, d.dead_lettered_at DESC, d.id DESC
            ) AS l
            CROSS JOIN LATERAL (
                SELECT o.kind, o.last_error, o.payment_id, o.state FROM operations o
                WHERE o.merchant_id = l.merchant AND o.idempotency_key = l.key LIMIT 1
            ) AS o
            WHERE o.state = 'NEEDS_ATTENTION'
        ) AS r JOIN payments ON id = operation_payment
        WHERE $3::timestamptz IS NULL OR (failed_at, failure_id) > ($3, $4::uuid)
        ORDER BY failed_at, failure_id LIMIT $2
        """

    func reviews(
        of payment: PaymentID?,
        after place: ReviewPlace?,
        limit: Int
    ) async throws(StoreError) -> [PendingReview] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                Self.reviewStatement,
                [
                    .optional(payment.map { PostgresUUID($0.value) }, PostgresValue.uuid), .int8(Int64(limit)),
                    .optional(place?.at.microseconds, PostgresValue.timestamp),
                    .optional(place.map { PostgresUUID($0.id.value) }, PostgresValue.uuid),
                ]
            )
            var reviews: [PendingReview] = []
            for row in rows {
                reviews.append(
                    PendingReview(
                        payment: try PaymentRow.payment(from: row),
                        kind: try row.parsed("operation_kind", OperationKind.init(rawValue:)),
                        merchantID: try row.parsed("operation_merchant", MerchantID.init),
                        idempotencyKey: try row.parsed("operation_key", IdempotencyKey.init),
                        lastError: try row.optionalText("operation_error"),
                        deadLetter: DeadLetterID(UniqueID(try row.uuid("failure_id"))),
                        deadLetterState: try row.parsed("failure_state", DeadLetterState.init(rawValue:)),
                        since: Timestamp(microseconds: try row.timestamp("failed_at"))
                    )
                )
            }
            return reviews
        }
    }

    func groups(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetterGroup] {
        let condition = DeadLetterCondition(filter)
        return try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT code, message, count(*), min(dead_lettered_at), max(dead_lettered_at)
                FROM dead_letters \(condition.clause)
                GROUP BY code, message ORDER BY count(*) DESC, code, message LIMIT \(limit)
                """,
                condition.parameters
            )
            var groups: [DeadLetterGroup] = []
            for row in rows {
                groups.append(
                    DeadLetterGroup(
                        code: try row.text(0),
                        message: try row.text(1),
                        count: Int(try row.int64(2)),
                        oldest: Timestamp(microseconds: try row.timestamp(3)),
                        newest: Timestamp(microseconds: try row.timestamp(4))
                    )
                )
            }
            return groups
        }
    }

    func schema() async throws(StoreError) -> String? {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute("SELECT name FROM schema_migrations ORDER BY name DESC LIMIT 1")
            guard let row = rows.first else { return nil }
            return try row.text(0)
        }
    }
}

extension PostgresConsoleQueries {
    func trace(of payment: PaymentID) async throws(StoreError) -> PaymentTrace {
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            let key = PostgresValue.uuid(PostgresUUID(payment.value))
            var trace = PaymentTrace()
            let waiting = try connection.execute(
                """
                SELECT kind, idempotency_key, message_id, arrived_at, seen_at FROM waiting_commands
                WHERE payment_id = $1 ORDER BY position
                """,
                [key]
            )
            for row in waiting {
                let since = Timestamp(microseconds: try row.timestamp(3))
                let seen = Timestamp(microseconds: try row.timestamp(4))
                trace.waiting.append(
                    PaymentTrace.Waiting(
                        kind: try row.parsed(0, OperationKind.init(rawValue:)),
                        idempotencyKey: try row.text(1),
                        messageID: try row.text(2),
                        since: since,
                        tier: RetryPolicy().waitingTier(waited: since.duration(to: seen))
                    )
                )
            }
            // Rows from before this was noted have an infinite time.
            let steps = try connection.execute(
                """
                SELECT id, completed_at, CASE WHEN isfinite(notified_at) THEN notified_at END, undeliverable_at
                FROM operations WHERE payment_id = $1
                """,
                [key]
            )
            for row in steps {
                trace.steps.append(
                    PaymentTrace.Steps(
                        operation: OperationID(UniqueID(try row.uuid(0))),
                        completedAt: try row.optionalInstant(1),
                        notifiedAt: try row.optionalInstant(2),
                        undeliverableAt: try row.optionalInstant(3)
                    )
                )
            }
            let outbox = try connection.execute(
                """
                SELECT destination, count(*) FROM outbox WHERE payment_id = $1 AND sent_at IS NULL GROUP BY destination
                """,
                [key]
            )
            for row in outbox { trace.outbox[try row.text(0)] = Int(try row.int64(1)) }
            return trace
        }
    }

    func audit(before place: AuditPlace?, limit: Int) async throws(StoreError) -> [AuditLine] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let bound = place == nil ? "" : "WHERE (a.at, a.dead_letter_id, a.position) < ($1, $2, $3)"
            let rows = try connection.execute(
                """
                SELECT a.at, a.actor, a.action, a.result, a.reason, a.dead_letter_id, a.position, coalesce(l.code, ''),
                    l.payment_id
                FROM (
                    SELECT * FROM dead_letter_audit a \(bound)
                    ORDER BY a.at DESC, a.dead_letter_id DESC, a.position DESC LIMIT \(limit)
                ) AS a LEFT JOIN dead_letters l ON l.id = a.dead_letter_id
                ORDER BY a.at DESC, a.dead_letter_id DESC, a.position DESC
                """,
                place.map { place in
                    [
                        .timestamp(place.at.microseconds), .uuid(PostgresUUID(place.id.value)),
                        .int4(Int32(place.position)),
                    ]
                } ?? []
            )
            var lines: [AuditLine] = []
            for row in rows {
                lines.append(
                    AuditLine(
                        entry: DeadLetterAuditEntry(
                            at: Timestamp(microseconds: try row.timestamp(0)),
                            actor: try row.text(1),
                            action: try row.text(2),
                            result: try row.text(3),
                            reason: try row.optionalText(4)
                        ),
                        deadLetter: DeadLetterID(UniqueID(try row.uuid(5))),
                        position: Int(try row.int32(6)),
                        code: try row.text(7),
                        payment: try row.isNull(8) ? nil : PaymentID(UniqueID(try row.uuid(8)))
                    )
                )
            }
            return lines
        }
    }
}

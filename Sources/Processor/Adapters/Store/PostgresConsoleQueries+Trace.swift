import Core
import Postgres

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

import Core
import Postgres

/// Sealed cards that dead letters need not keep any longer, decided as `SealedCardErasure` does.
struct SealedCardErasures: Sendable {
    private let policy: SweepPolicy

    init(_ policy: SweepPolicy) {
        self.policy = policy
    }

    /// A batch; each is noted in its dead letter's audit.
    ///
    /// - Returns: how many were erased.
    func run(on connection: isolated PostgresConnection) throws(PostgresError) -> Int {
        try connection.execute(
            """
            WITH due AS (
                SELECT d.id, CASE WHEN d.closed_at IS NOT NULL THEN $3 WHEN o.id IS NOT NULL THEN $4 ELSE $5 END AS reason
                FROM dead_letters d
                LEFT JOIN operations o ON o.merchant_id = d.merchant_id AND o.idempotency_key = d.idempotency_key
                    AND o.payment_id = d.payment_id AND o.kind = d.operation
                    AND o.state NOT IN ('SENT', 'UNKNOWN', 'NEEDS_ATTENTION')
                WHERE d.sealed_card IS NOT NULL
                    AND (d.state <> 'replaying' OR coalesce(d.replay_until, '-infinity') <= clock_timestamp())
                    AND (d.closed_at IS NOT NULL OR o.id IS NOT NULL
                        OR d.ingested_at < clock_timestamp() - $1 * interval '1 microsecond')
                ORDER BY d.ingested_at LIMIT $2 FOR NO KEY UPDATE OF d SKIP LOCKED
            ), erased AS (
                UPDATE dead_letters d SET sealed_card = NULL FROM due WHERE d.id = due.id RETURNING d.id, due.reason
            )
            INSERT INTO dead_letter_audit (dead_letter_id, position, at, actor, action, result, reason)
            SELECT e.id, coalesce(max(a.position), 0) + 1, clock_timestamp(), $6, $7, $8, e.reason
            FROM erased e LEFT JOIN dead_letter_audit a ON a.dead_letter_id = e.id
            GROUP BY e.id, e.reason
            """,
            [
                .int8(policy.keepsSealedCards.microseconds), .int8(Int64(policy.batch)),
                .text(SealedCardErasure.closed.rawValue), .text(SealedCardErasure.completed.rawValue),
                .text(SealedCardErasure.expired.rawValue), .text(SealedCardErasure.actor),
                .text(SealedCardErasure.action), .text(SealedCardErasure.result),
            ]
        ).affectedRows
    }
}

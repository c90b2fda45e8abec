import Core
import Postgres

/// Dead letters that were dealt with long ago. What was done with them stays, in the audit.
struct OldDeadLetters: Sendable {
    private let policy: SweepPolicy

    init(_ policy: SweepPolicy) {
        self.policy = policy
    }

    /// A batch of each kind, by the index of their time: an old one that is open still is passed over.
    ///
    /// - Returns: how many rows went.
    func remove(on connection: isolated PostgresConnection) throws(PostgresError) -> Int {
        let parameters: [PostgresValue] = [.int8(policy.keepsDeadLetters.microseconds), .int8(Int64(policy.batch))]
        let deadLetters = try connection.execute(
            """
            DELETE FROM dead_letters WHERE id IN (
                SELECT id FROM dead_letters
                WHERE dead_lettered_at < clock_timestamp() - $1 * interval '1 microsecond'
                    AND closed_at < clock_timestamp() - $1 * interval '1 microsecond'
                ORDER BY dead_lettered_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            """,
            parameters
        )
        let returns = try connection.execute(
            """
            DELETE FROM dead_letter_returns WHERE message IN (
                SELECT message FROM dead_letter_returns WHERE last_at < clock_timestamp() - $1 * interval '1 microsecond'
                LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            """,
            parameters
        )
        return deadLetters.affectedRows + returns.affectedRows + (try removeReplays(parameters, on: connection))
    }

    /// Their lists first, in batches of their own: one may be of a million dead letters.
    private func removeReplays(
        _ parameters: [PostgresValue],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Int {
        let items = try connection.execute(
            """
            DELETE FROM dead_letter_replay_items WHERE (replay_id, position) IN (
                SELECT i.replay_id, i.position FROM dead_letter_replay_items i
                JOIN dead_letter_replays r ON r.id = i.replay_id
                WHERE r.created_at < clock_timestamp() - $1 * interval '1 microsecond'
                    AND r.finished_at < clock_timestamp() - $1 * interval '1 microsecond'
                LIMIT $2
            )
            """,
            parameters
        )
        let replays = try connection.execute(
            """
            DELETE FROM dead_letter_replays WHERE id IN (
                SELECT r.id FROM dead_letter_replays r
                WHERE r.created_at < clock_timestamp() - $1 * interval '1 microsecond'
                    AND r.finished_at < clock_timestamp() - $1 * interval '1 microsecond'
                    AND NOT EXISTS (SELECT FROM dead_letter_replay_items i WHERE i.replay_id = r.id)
                ORDER BY r.created_at LIMIT $2 FOR UPDATE SKIP LOCKED
            )
            """,
            parameters
        )
        return items.affectedRows + replays.affectedRows
    }
}

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

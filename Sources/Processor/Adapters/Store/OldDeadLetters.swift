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

import Core
import Postgres

extension PostgresDeadLetterStore {
    private static let lease: PostgresValue = .int8(ReplayClaim.runLease.microseconds)

    func takeReplay(_ id: ReplayID?) async throws(StoreError) -> ReplayRun? {
        try await one(
            """
            UPDATE dead_letter_replays
            SET fencing_token = fencing_token + 1, lease_until = clock_timestamp() + $2 * interval '1 microsecond'
            WHERE id = (
                SELECT id FROM dead_letter_replays
                WHERE state = 'running' AND ($1::uuid IS NULL OR id = $1)
                    AND (lease_until IS NULL OR lease_until <= clock_timestamp())
                ORDER BY created_at LIMIT 1 FOR UPDATE SKIP LOCKED
            )
            RETURNING \(ReplayRow.columns)
            """,
            [.optional(id.map { PostgresUUID($0.value) }, PostgresValue.uuid), Self.lease]
        )
    }

    func note(_ claim: ReplayClaim, _ entry: DeadLetterReport.Entry?) async throws(StoreError) -> ReplayNote {
        let outcome = entry?.item.replayed
        let run = try await one(
            """
            WITH held AS (
                SELECT id FROM dead_letter_replays
                WHERE id = $1 AND fencing_token = $2 AND state = 'running' FOR NO KEY UPDATE
            ), noted AS (
                UPDATE dead_letter_replay_items i SET result = $5, reason = $6 FROM held
                WHERE i.replay_id = held.id AND i.dead_letter_id = $4 AND i.result IS NULL
                RETURNING i.result
            ), counted AS (
                SELECT count(*) FILTER (WHERE result = 'replayed') AS replayed,
                    count(*) FILTER (WHERE result IN ('skipped', 'refused')) AS skipped,
                    count(*) FILTER (WHERE result = 'refused') AS refused,
                    count(*) FILTER (WHERE result = 'failed') AS failed
                FROM noted
            )
            UPDATE dead_letter_replays r
            SET lease_until = clock_timestamp() + $3 * interval '1 microsecond', replayed = r.replayed + c.replayed,
                skipped = r.skipped + c.skipped, refused = r.refused + c.refused, failed = r.failed + c.failed
            FROM held, counted c WHERE r.id = held.id
            RETURNING \(ReplayRow.columns(of: "r"))
            """,
            [
                ReplayRow.key(claim.replay), .int8(claim.fencingToken), Self.lease,
                .optional(entry.map { PostgresUUID($0.id.value) }, PostgresValue.uuid),
                .optional(outcome?.result.rawValue, PostgresValue.text), .optional(outcome?.reason, PostgresValue.text),
            ]
        )
        guard let run else { return .superseded }
        return run.stoppedBy == nil ? .goOn : .stop
    }

    func endReplay(
        _ claim: ReplayClaim,
        _ state: ReplayRun.State?,
        reason: String?
    ) async throws(StoreError) {
        _ = try await one(
            """
            UPDATE dead_letter_replays
            SET lease_until = NULL, state = coalesce($3, state), reason = $4,
                finished_at = CASE WHEN $3 IS NOT NULL THEN clock_timestamp() END
            WHERE id = $1 AND fencing_token = $2 AND state = 'running' RETURNING \(ReplayRow.columns)
            """,
            [
                ReplayRow.key(claim.replay), .int8(claim.fencingToken), .optional(state?.rawValue, PostgresValue.text),
                .optional(reason, PostgresValue.text),
            ]
        )
    }

    func stopReplay(_ id: ReplayID, by actor: String) async throws(StoreError) -> ReplayRun? {
        let stopped = try await one(
            """
            UPDATE dead_letter_replays
            SET stopped_by = coalesce(stopped_by, $2),
                state = CASE WHEN lease_until > clock_timestamp() THEN state ELSE 'stopped' END,
                finished_at = CASE WHEN lease_until > clock_timestamp() THEN NULL ELSE clock_timestamp() END
            WHERE id = $1 AND state = 'running' RETURNING \(ReplayRow.columns)
            """,
            [ReplayRow.key(id), .text(actor)]
        )
        if let stopped { return stopped }
        return try await replay(id)
    }

    func withdrawReplay(_ id: ReplayID, reason: String) async throws(StoreError) -> Bool {
        try await one(
            """
            UPDATE dead_letter_replays SET state = 'failed', finished_at = clock_timestamp(), reason = $2
            WHERE id = $1 AND state = 'running' AND fencing_token = 0 RETURNING \(ReplayRow.columns)
            """,
            [ReplayRow.key(id), .text(reason)]
        ) != nil
    }

    /// - Returns: `nil` where it was about no row.
    private func one(_ statement: String, _ parameters: [PostgresValue]) async throws(StoreError) -> ReplayRun? {
        try await pool.storeTransaction { connection throws(PostgresError) in
            guard let row = try connection.execute(statement, parameters).first else { return nil }
            return try ReplayRow.run(from: row)
        }
    }
}

import Core
import Postgres

extension PostgresDeadLetterStore: ReplayStore {
    /// Ids of one statement: it must not take longer than a statement may.
    private static let chunk = 10_000

    func createReplay(
        _ id: ReplayID,
        _ order: ReplayOrder,
        of ids: [DeadLetterID]
    ) async throws(StoreError) -> ReplayRun {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                INSERT INTO dead_letter_replays (
                    id, requested_by, filter, rate, stop_at_failures, selected, created_at, state, finished_at)
                SELECT $1, $2, $3, $4, $5, $6, clock_timestamp(),
                    CASE WHEN $6 = 0 THEN 'finished' ELSE 'running' END, CASE WHEN $6 = 0 THEN clock_timestamp() END
                RETURNING \(ReplayRow.columns)
                """,
                [
                    ReplayRow.key(id), .text(order.requestedBy),
                    .optional(order.filter.map { String(decoding: $0.encoded, as: UTF8.self) }, PostgresValue.jsonb),
                    .optional(order.pace.perSecond.map(Int32.init), PostgresValue.int4),
                    .float8(order.pace.failureShare), .int8(Int64(ids.count)),
                ]
            )
            for start in stride(from: 0, to: ids.count, by: Self.chunk) {
                _ = try connection.execute(
                    """
                    INSERT INTO dead_letter_replay_items (replay_id, position, dead_letter_id)
                    SELECT $1, $2 + l.position, l.id FROM unnest($3) WITH ORDINALITY AS l (id, position)
                    """,
                    [
                        ReplayRow.key(id), .int8(Int64(start)),
                        .uuidArray(ids[start..<min(start + Self.chunk, ids.count)].map { PostgresUUID($0.value) }),
                    ]
                )
            }
            return try ReplayRow.run(from: try rows.single())
        }
    }

    func replays(limit: Int) async throws(StoreError) -> [ReplayRun] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT \(ReplayRow.columns) FROM dead_letter_replays ORDER BY created_at DESC, id DESC LIMIT $1
                """,
                [.int8(Int64(limit))]
            )
            var runs: [ReplayRun] = []
            for row in rows { runs.append(try ReplayRow.run(from: row)) }
            return runs
        }
    }

    func replay(_ id: ReplayID) async throws(StoreError) -> ReplayRun? {
        try await pool.storeTransaction { connection throws(PostgresError) in try Self.run(id, on: connection) }
    }

    func replayView(_ id: ReplayID) async throws(StoreError) -> ReplayView? {
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            guard let run = try Self.run(id, on: connection) else { return nil }
            let rows = try connection.execute(
                """
                SELECT dead_letter_id, result, coalesce(reason, '') FROM dead_letter_replay_items
                WHERE replay_id = $1 AND result <> 'replayed' ORDER BY position LIMIT \(ReplayView.mostProblems)
                """,
                [ReplayRow.key(id)]
            )
            var problems: [ReplayView.Problem] = []
            for row in rows {
                problems.append(
                    ReplayView.Problem(
                        deadLetter: DeadLetterID(UniqueID(try row.uuid(0))),
                        result: try row.parsed(1, ReplayResult.init),
                        reason: try row.text(2)
                    )
                )
            }
            return ReplayView(run: run, problems: problems)
        }
    }

    func remainingDeadLetters(
        of id: ReplayID,
        after position: Int,
        limit: Int
    ) async throws(StoreError) -> [ReplayPosition] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT position, dead_letter_id FROM dead_letter_replay_items
                WHERE replay_id = $1 AND position > $2 AND result IS NULL ORDER BY position LIMIT $3
                """,
                [ReplayRow.key(id), .int8(Int64(position)), .int8(Int64(limit))]
            )
            var positions: [ReplayPosition] = []
            for row in rows {
                positions.append(
                    ReplayPosition(
                        position: Int(try row.int32(0)),
                        deadLetter: DeadLetterID(UniqueID(try row.uuid(1)))
                    )
                )
            }
            return positions
        }
    }

    private static func run(
        _ id: ReplayID,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> ReplayRun? {
        let rows = try connection.execute(
            "SELECT \(ReplayRow.columns) FROM dead_letter_replays WHERE id = $1",
            [ReplayRow.key(id)]
        )
        guard let row = rows.first else { return nil }
        return try ReplayRow.run(from: row)
    }
}

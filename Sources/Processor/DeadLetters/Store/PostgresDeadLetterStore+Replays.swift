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

/// How a replay is read from its row.
enum ReplayRow {
    private static let names = [
        "id", "requested_by", "filter::text", "rate", "stop_at_failures", "created_at", "state", "selected", "replayed",
        "skipped", "refused", "failed", "fencing_token", "finished_at", "stopped_by", "reason",
    ]

    /// In the order in which `run(from:)` reads them.
    static let columns = names.joined(separator: ", ")

    static func columns(of table: String) -> String { names.map { "\(table).\($0)" }.joined(separator: ", ") }

    static func key(_ id: ReplayID) -> PostgresValue { .uuid(PostgresUUID(id.value)) }

    static func run(from row: PostgresRow) throws(PostgresError) -> ReplayRun {
        var counts = ReplayRun.Counts(selected: Int(try row.int64(7)))
        counts.replayed = Int(try row.int64(8))
        counts.skipped = Int(try row.int64(9))
        counts.refused = Int(try row.int64(10))
        counts.failed = Int(try row.int64(11))
        return ReplayRun(
            id: ReplayID(UniqueID(try row.uuid(0))),
            order: ReplayOrder(
                requestedBy: try row.text(1),
                filter: try row.isNull(2)
                    ? nil : try row.parsed(2) { try? JSONParser.parse(Array($0.utf8)) },
                pace: ReplayPace(
                    perSecond: try row.optionalInt32(3).map(Int.init),
                    failureShare: try row.double(4)
                )
            ),
            createdAt: Timestamp(microseconds: try row.timestamp(5)),
            state: try row.parsed(6, ReplayRun.State.init),
            counts: counts,
            fencingToken: try row.int64(12),
            finishedAt: try row.optionalTimestamp(13).map(Timestamp.init(microseconds:)),
            stoppedBy: try row.optionalText(14),
            reason: try row.optionalText(15)
        )
    }
}

import Core
import Postgres

extension PostgresPaymentStore: SweepStore {
    // MARK: Runs

    func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let key: [PostgresValue] = [.text(slot.job.rawValue), .timestamp(slot.start.microseconds)]
            try connection.enqueue(
                """
                INSERT INTO sweep_runs (job, slot, id, started_at) VALUES ($1, $2, $3, clock_timestamp())
                ON CONFLICT DO NOTHING
                """,
                key + [.uuid(PostgresUUID(run.value))]
            )
            let rows = try connection.execute("SELECT id FROM sweep_runs WHERE job = $1 AND slot = $2", key)
            // Our own, perhaps from a try whose COMMIT was not answered (docs/correctness.md#unknown-commit).
            return UniqueID(try rows.single().uuid(0)) == run.value
        }
    }

    func begin(_ run: SweepRunID, _ job: SweepJob) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                INSERT INTO sweep_runs (id, job, started_at) VALUES ($1, $2, clock_timestamp()) ON CONFLICT DO NOTHING
                """,
                [.uuid(PostgresUUID(run.value)), .text(job.rawValue)]
            )
        }
    }

    func finish(_ run: SweepRunID, _ report: SweepReport) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                UPDATE sweep_runs SET finished_at = clock_timestamp(), examined = $2, resolved = $3, needs_attention = $4,
                    waiting = $5
                WHERE id = $1
                """,
                [
                    .uuid(PostgresUUID(run.value)), .int8(Int64(report.examined)), .int8(Int64(report.resolved)),
                    .int8(Int64(report.needsAttention)), .int8(Int64(report.waiting)),
                ]
            )
        }
    }

    func runs(limit: Int) async throws(StoreError) -> [SweepRun] {
        let rows = try await sweeps.storeTransaction { connection throws(PostgresError) in
            try connection.execute(
                """
                SELECT id, job, slot, started_at, finished_at, examined, resolved, needs_attention, waiting
                FROM sweep_runs ORDER BY started_at DESC, id DESC LIMIT $1
                """,
                [.int8(Int64(limit))]
            )
        }
        var runs: [SweepRun] = []
        do throws(PostgresError) {
            for row in rows { runs.append(try Self.run(from: row)) }
        } catch {
            throw StoreError(error)
        }
        return runs
    }

    private static func run(from row: PostgresRow) throws(PostgresError) -> SweepRun {
        SweepRun(
            id: SweepRunID(UniqueID(try row.uuid(0))),
            job: try row.parsed(1, SweepJob.init(rawValue:)),
            slot: try row.optionalInstant(2),
            startedAt: Timestamp(microseconds: try row.timestamp(3)),
            finishedAt: try row.optionalInstant(4),
            report: SweepReport(
                examined: Int(try row.int64(5)),
                resolved: Int(try row.int64(6)),
                needsAttention: Int(try row.int64(7)),
                waiting: Int(try row.int64(8))
            )
        )
    }

    // MARK: Checks

    func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings {
        try await collectNewOperations()
        let hasRoom = room.isLeft
        return try await sweeps.storeTransaction { connection throws(PostgresError) in
            try OpenBatch(check, hasRoomForEvents: hasRoom).run(on: connection)
        }
    }

    func compareLateAuthorizations(limit: Int) async throws(StoreError) -> [Operation] {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try UnmatchedAuthorizations.compare(limit: limit, on: connection)
        }
    }

    func check(_ check: AuthorizationCheck) async throws(StoreError) -> AuthorizationFindings {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try AuthorizationBatch(check).run(on: connection)
        }
    }

    func expire(_ proof: ExpiryProof) async throws(StoreError) -> Bool {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try ExpiryWriter(proof).write(on: connection)
        }
    }

    // MARK: Retention

    func removeOld(_ policy: SweepPolicy) async throws(StoreError) -> Int {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let relayed = try connection.execute(
                """
                DELETE FROM outbox WHERE id IN (
                    SELECT id FROM outbox WHERE sent_at < clock_timestamp() - $1 * interval '1 microsecond'
                    ORDER BY sent_at LIMIT $2 FOR UPDATE SKIP LOCKED
                )
                """,
                [.int8(policy.keepsRelayed.microseconds), .int8(Int64(policy.batch))]
            )
            let runs = try connection.execute(
                """
                DELETE FROM sweep_runs WHERE id IN (
                    SELECT id FROM sweep_runs WHERE started_at < clock_timestamp() - $1 * interval '1 microsecond'
                    ORDER BY started_at LIMIT $2 FOR UPDATE SKIP LOCKED
                )
                """,
                [.int8(policy.keepsRuns.microseconds), .int8(Int64(policy.batch))]
            )
            let waiting = try connection.execute(
                """
                DELETE FROM waiting_commands WHERE position IN (
                    SELECT position FROM waiting_commands
                    WHERE seen_at < clock_timestamp() - $1 * interval '1 microsecond'
                    ORDER BY seen_at LIMIT $2 FOR UPDATE SKIP LOCKED
                )
                """,
                [.int8(policy.keepsWaiting.microseconds), .int8(Int64(policy.batch))]
            )
            return relayed.affectedRows + runs.affectedRows + waiting.affectedRows
                + (try OldDeadLetters(policy).remove(on: connection))
                + (try SealedCardErasures(policy).run(on: connection))
        }
    }
}

/// How sweeps come to know of the operations that are open, or whose end nobody was notified of.
///
/// Every commit that inserts such operations leaves a row in `new_operations` (by a trigger). What this sees it takes away, and
/// remembers those that are still open in `open_operations`; a row that is committed later is seen later. So no row is missed,
/// nothing depends on the ids or the age of transactions, and the cost is that of what has come since the last time.
extension PostgresPaymentStore {
    /// Rows of one transaction, each of a batch of operations. What others are collecting is left out.
    static let collectLimit = 200
    /// Transactions of one call: the rest waits for the next one.
    private static let collectRounds = 50

    static let collectStatement = """
        WITH taken AS (
            DELETE FROM new_operations WHERE position IN (
                SELECT position FROM new_operations ORDER BY position LIMIT \(collectLimit) FOR UPDATE SKIP LOCKED
            )
            RETURNING payment_ids
        ), collected AS (
            INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
            SELECT o.id, o.merchant_id, o.idempotency_key, o.payment_id, o.lease_until
            FROM (SELECT DISTINCT unnest(payment_ids) AS id FROM taken) AS p JOIN operations o ON o.payment_id = p.id
            WHERE o.state IN ('SENT', 'UNKNOWN') OR o.notified_at IS NULL OR o.events_due
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM taken
        """

    func collectNewOperations() async throws(StoreError) {
        for _ in 0..<Self.collectRounds {
            let count = try await sweeps.storeTransaction { connection throws(PostgresError) in
                try connection.execute(Self.collectStatement).single().int64(0)
            }
            if count < Self.collectLimit { return }
        }
    }
}

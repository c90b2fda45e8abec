import Core
import Postgres
import Testing

@testable import Processor

@Suite("Retention", .timeLimit(.minutes(2)))
struct RetentionTests {
    @Test(
        "dead letters that were dealt with long ago go in batches; what is open or young stays, and so does the audit"
    )
    func deadLetters() async throws {
        try await TestDatabase.with { pools in
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(
                    """
                    INSERT INTO dead_letters (
                        id, instance, code, message, source, dead_lettered_at, ingested_at, replayable, headers, body, state,
                        closed_at)
                    SELECT gen_random_uuid(), decode(repeat(to_hex(n + 16), 32), 'hex'), 'c', 'm', 'processor',
                        now() - interval '91 days', now(), false, '{}', '', CASE WHEN n < 5 THEN 'discarded' ELSE 'open' END,
                        CASE WHEN n < 4 THEN now() - interval '91 days' WHEN n = 4 THEN now() END
                    FROM generate_series(0, 6) AS n;
                    INSERT INTO dead_letter_audit (dead_letter_id, position, at, actor, action, result, reason)
                    SELECT id, 1, now(), 'a', 'discard', 'discarded', 'r' FROM dead_letters WHERE state = 'discarded';
                    """
                )
            }
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            let policy = SweepPolicy(batch: 3)
            var removed: [Int] = []
            for _ in 0..<3 { removed.append(try await store.removeOld(policy)) }
            #expect(removed == [3, 1, 0])
            let rows = try await pools.queries.execute(
                "SELECT (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM dead_letter_audit)"
            )
            let (deadLetters, audit) = (try rows.single().int64(0), try rows.single().int64(1))
            #expect(deadLetters == 3)
            #expect(audit == 5)
        }
    }

    @Test("replays that ended long ago go in batches, their lists first; one that runs, or is young, stays")
    func replays() async throws {
        try await TestDatabase.with { pools in
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(
                    """
                    INSERT INTO dead_letter_replays (id, requested_by, created_at, stop_at_failures, state, selected, finished_at)
                    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'a', now() - interval '91 days', 0.2,
                        CASE WHEN n < 3 THEN 'finished' ELSE 'running' END, 2,
                        CASE WHEN n < 2 THEN now() - interval '91 days' WHEN n = 2 THEN now() END
                    FROM generate_series(0, 3) AS n;
                    INSERT INTO dead_letter_replay_items (replay_id, position, dead_letter_id)
                    SELECT r.id, n, gen_random_uuid() FROM dead_letter_replays r, generate_series(1, 2) AS n;
                    """
                )
            }
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            var removed: [Int] = []
            for _ in 0..<4 { removed.append(try await store.removeOld(SweepPolicy(batch: 3))) }
            #expect(removed.reduce(0, +) == 6 && removed.last == 0)
            let rows = try await pools.queries.execute(
                "SELECT (SELECT count(*) FROM dead_letter_replays), (SELECT count(*) FROM dead_letter_replay_items)"
            )
            let (replays, items) = (try rows.single().int64(0), try rows.single().int64(1))
            #expect(replays == 2 && items == 4)
        }
    }
}

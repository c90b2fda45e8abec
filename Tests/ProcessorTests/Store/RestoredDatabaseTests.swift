import Core
import Foundation
import Migrations
import Postgres
import TestSupport
import Testing

@testable import Processor

/// Finding work must not depend on the server that the rows were written on, nor on when they were committed. RESTORE_TEST_ROWS
/// (20,000) is how many completed payments there are.
@Suite("A database that was dumped and restored", .serialized, .timeLimit(.minutes(15)))
struct RestoredDatabaseTests {
    private static let rows =
        ProcessInfo.processInfo.environment["RESTORE_TEST_ROWS"].flatMap { Int($0) } ?? 20_000

    @Test("reads what is due and nothing else, however much another server has completed, and finds what is open")
    func restored() async throws {
        try await TestDatabase.named { source in
            try await TestDatabase.withPools(of: source) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                // As a server would have written them that has seen more transactions than this one ever will.
                // In steps that stay far below the time that a statement may take.
                for _ in 0..<max(Self.rows / 2_000, 1) {
                    try await CompletedPayments(count: 2_000, transactionsAhead: 1_000_000_000)
                        .write(to: pools.queries)
                }
                try await OpenCaptures(count: 3).write(to: pools.queries)
            }
            try await TestDatabase.named { target in
                try await Self.copy(source, to: target)
                try await TestDatabase.withPools(of: target) { pools in
                    #expect(try await Migrator(pool: pools.queries).migrate().isEmpty)
                    let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
                    #expect(try await store.check(SweepCostTests.check).claims.count == 3)
                    for (name, statement) in SweepCostTests.statements {
                        let plan = try await ExplainedPlan(of: statement, on: pools.sweeps)
                        #expect(plan.pages < 100, "\(name), beside \(Self.rows) completed payments:\n\(plan.text)")
                    }
                }
            }
        }
    }

    @Test("finds what is committed late once it is, and does not read again what was committed meanwhile")
    func lateCommit() async throws {
        try await TestDatabase.named { url in
            let holder = try await PostgresConnection.connect(try PostgresConfiguration(conninfo: url))
            try await TestDatabase.withPools(of: url) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
                _ = try await holder.execute("SELECT pg_advisory_lock(1)")
                // Begun before all others, and still open when they are collected.
                async let late: Void = pools.claims.transaction { connection throws(PostgresError) in
                    try connection.executeScript(OpenCaptures(count: 1).sql)
                    try connection.executeScript("SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0")
                    _ = try connection.execute("SELECT pg_advisory_xact_lock(1)")
                }
                let waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
                try await eventually("the late transaction had written") {
                    try await holder.execute(waiting).single().int64(0) > 0
                }
                for _ in 0..<100 { try await OpenCaptures(count: 1, isCompleted: true).write(to: pools.queries) }
                try await OpenCaptures(count: 2).write(to: pools.queries)
                #expect(try await store.check(SweepCostTests.check).claims.count == 2)
                let plan = try await ExplainedPlan(of: PostgresPaymentStore.collectStatement, on: pools.sweeps)
                #expect(plan.pages < 100, "\(plan.text)")
                _ = try await holder.execute("SELECT pg_advisory_unlock(1)")
                try await late
                #expect(try await store.check(SweepCostTests.check).claims.count == 1)
            }
            await holder.close()
        }
    }

    @Test("finds, after the migration, what a processor of the version before had not collected")
    func migrated() async throws {
        try await TestDatabase.named { url in
            try await TestDatabase.withPools(of: url) { pools in
                let before = Migrations.all.filter { $0.name < "0011" }
                _ = try await Migrator(pool: pools.queries, migrations: before).migrate()
                try await OpenCaptures(count: 2, names: .before0026).write(to: pools.queries)
                _ = try await Migrator(pool: pools.queries).migrate()
                try await OpenCaptures(count: 3).write(to: pools.queries)
                let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
                #expect(try await store.check(SweepCostTests.check).claims.count == 5)
            }
        }
    }

    /// With the tools that an operator uses.
    private static func copy(_ source: String, to target: String) async throws {
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        let file = directory.file("dump")
        for (program, arguments) in [
            ("pg_dump", ["--format=custom", "--file=\(file)", "--dbname=\(source)"]),
            ("pg_restore", ["--exit-on-error", "--dbname=\(target)", file]),
        ] {
            let child = try Child("/usr/bin/\(program)", arguments)
            let exit = try await child.end(within: .seconds(600))
            try #require(exit == .status(0), "\(child.lastWords)")
            child.directory.remove()
        }
    }
}

/// Captures that were sent to the bank by a process that is no more, due to be checked.
private struct OpenCaptures {
    let count: Int
    /// With their outcome stored, and nothing left to do.
    var isCompleted = false
    var names = Names()

    /// Of columns that have been renamed.
    struct Names {
        var activeOperation = "active_operation_id"
        var operationsEnd = "completed_at, notified_at, fencing_token"

        static let before0026 = Names(
            activeOperation: "held_by",  // names of columns before 0026
            operationsEnd: "settled_at, told_at, fence"  // names of columns before 0026
        )
    }

    var sql: String {
        let (status, end) =
            isCompleted
            ? ("AUTHORIZED", "'SUCCEEDED', 'x'::bytea, now(), now()")
            : ("CAPTURING", "'SENT', NULL::bytea, NULL::timestamptz, NULL::timestamptz")
        return """
            CREATE TEMP TABLE n AS SELECT gen_random_uuid() AS p, gen_random_uuid() AS c FROM generate_series(1, \(count));
            INSERT INTO payments (
                id, merchant_id, order_id, customer_id, amount, currency, status, version, bank_authorization_id, created_at,
                authorized_at, expires_at, \(names.activeOperation))
            SELECT p, 'default', 'o-' || p, 'c-1', 100, 'USD', '\(status)', 4, 'auth_' || p, now(), now(),
                now() + interval '168 hours', \(isCompleted ? "NULL::uuid" : "c") FROM n;
            INSERT INTO operations (
                merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, origin, created_at, first_sent_at,
                state, reply, \(names.operationsEnd), lease_until, claim_token, attempts, ambiguous_sends)
            SELECT 'default', 'k-' || c, c, 'capture', p, decode(repeat('ab', 32), 'hex'), 'op_' || c, 'AUTHORIZED',
                now() - interval '1 hour', now() - interval '1 hour', \(end), 1, now() - interval '1 hour', c, 1, 0 FROM n;
            DROP TABLE n;
            """
    }

    func write(to pool: PostgresPool) async throws {
        let sql = sql
        try await pool.withConnection { connection throws(PostgresError) in try connection.executeScript(sql) }
    }
}

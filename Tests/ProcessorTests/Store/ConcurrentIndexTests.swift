import Migrations
import Postgres
import TestSupport
import Testing

@testable import Processor

@Suite("Indexes that are built under traffic", .timeLimit(.minutes(2)))
struct ConcurrentIndexTests {
    private static let migrations =
        Migrations.all + [
            Migration(
                name: "9001_index",
                sql: "-- concurrently: busy_by_n ON busy\nCREATE INDEX CONCURRENTLY IF NOT EXISTS busy_by_n ON busy (n)"
            )
        ]

    @Test("writers do not wait for one, not even while it waits for an older transaction")
    func traffic() async throws {
        try await TestDatabase.named { url in
            let configuration = try PostgresConfiguration(conninfo: url)
            let (holder, gate) = (
                try await PostgresConnection.connect(configuration), try await PostgresConnection.connect(configuration)
            )
            try await TestDatabase.withPools(of: url) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                _ = try await pools.queries.execute("CREATE TABLE busy (n integer)")
                try await Self.run("SELECT pg_advisory_lock(77)", on: gate)
                // A writer that has not committed yet, until the gate is opened.
                async let older: Void = holder.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO busy VALUES (1)")
                        _ = try connection.execute("SELECT pg_advisory_xact_lock(77)")
                    }
                }
                try await eventually("the writer is at the gate") {
                    let sql = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 77 AND NOT granted"
                    return try await pools.sweeps.execute(sql).single().int64(0) == 1
                }
                async let applied = Migrator(pool: pools.queries, migrations: Self.migrations).migrate()
                try await eventually("the index is begun") {
                    let sql =
                        "SELECT count(*) FROM pg_index WHERE indexrelid = to_regclass('busy_by_n') AND NOT indisvalid"
                    return try await pools.sweeps.execute(sql).single().int64(0) == 1
                }
                _ = try await pools.claims.execute("INSERT INTO busy VALUES (2)")
                #expect(try await !Self.isValid(pools.sweeps))
                try await Self.run("SELECT pg_advisory_unlock(77)", on: gate)
                #expect(try await applied == ["9001_index"])
                try await older
                #expect(try await Self.isValid(pools.queries))
            }
            await holder.close()
            await gate.close()
        }
    }

    private static func run(_ sql: String, on connection: PostgresConnection) async throws {
        try await connection.run { connection throws(PostgresError) in _ = try connection.execute(sql) }
    }

    @Test("one that was broken off is built anew")
    func brokenOff() async throws {
        try await TestDatabase.with { pools in
            _ = try await pools.queries.execute("CREATE TABLE busy (n integer)")
            _ = try await pools.queries.execute("INSERT INTO busy VALUES (1), (1)")
            await #expect(throws: PostgresError.self) {
                try await pools.queries.withConnection { connection throws(PostgresError) in
                    try connection.executeScript("CREATE UNIQUE INDEX CONCURRENTLY busy_by_n ON busy (n)")
                }
            }
            #expect(try await !Self.isValid(pools.queries))
            let applied = try await Migrator(pool: pools.queries, migrations: Self.migrations).migrate()
            #expect(applied == ["9001_index"])
            #expect(try await Self.isValid(pools.queries))
            let timeout = try await pools.queries.execute("SELECT current_setting('statement_timeout')")
            #expect(try timeout.single().text(0) != "0")
        }
    }

    @Test("any number of migrators may try at the same time")
    func concurrently() async throws {
        try await TestDatabase.with { pools in
            _ = try await pools.queries.execute("CREATE TABLE busy (n integer)")
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for pool in [pools.queries, pools.sweeps, pools.claims, pools.queries] {
                    group.addTask { try await Migrator(pool: pool, migrations: Self.migrations).migrate() }
                }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(applied == ["9001_index"])
            #expect(try await Self.isValid(pools.queries))
        }
    }

    private static func isValid(_ pool: PostgresPool) async throws -> Bool {
        let sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass('busy_by_n')"
        return try await pool.execute(sql).single().bool(0)
    }
}

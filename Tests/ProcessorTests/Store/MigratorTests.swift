import Migrations
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("The migrator", .timeLimit(.minutes(2)))
struct MigratorTests {
    private let first = Migration(name: "0001_first", sql: "CREATE TABLE one (id int);")

    @Test("applies each migration once, in order, and tells which")
    func appliesOnce() async throws {
        try await TestDatabase.with { pools in
            // What the application itself needs is there already.
            let own = try await Migrator(pool: pools.queries).migrate()
            #expect(own.isEmpty)
            let more = Migrations.all + [first, Migration(name: "0002_second", sql: "CREATE TABLE two (id int);")]
            let applied = try await Migrator(pool: pools.queries, migrations: more).migrate()
            #expect(applied == ["0001_first", "0002_second"])
            let again = try await Migrator(pool: pools.queries, migrations: more).migrate()
            #expect(again.isEmpty)
        }
    }

    @Test("lets any number try at the same time")
    func concurrently() async throws {
        try await TestDatabase.with { pools in
            let migrator = Migrator(pool: pools.queries, migrations: Migrations.all + [first])
            let applied = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<8 { group.addTask { try await migrator.migrate() } }
                return try await group.reduce(into: [String]()) { $0 += $1 }
            }
            #expect(applied == ["0001_first"])
        }
    }

    @Test("refuses a migration that was edited after it had been applied")
    func edited() async throws {
        try await TestDatabase.with { pools in
            _ = try await Migrator(pool: pools.queries, migrations: Migrations.all + [first]).migrate()
            let edited = Migration(name: first.name, sql: first.sql + " -- edited")
            let error = await #expect(throws: MigrationError.self) {
                _ = try await Migrator(pool: pools.queries, migrations: Migrations.all + [edited]).migrate()
            }
            #expect(error?.description.contains("0001_first was edited") == true)
        }
    }

    @Test("a migration that older processors cannot work with waits until they have ended; others do not")
    func olderProcessors() async throws {
        try await TestDatabase.with { pools in
            let join = """
                INSERT INTO members (id, version, started_at, last_seen, subscribed)
                VALUES ('old-1', '0.9', now(), clock_timestamp(), '{}')
                """
            try await Self.execute(join, on: pools.queries)
            let compatible = Migration(name: first.name, sql: "-- compatible-from: 0007\n" + first.sql)
            let incompatible = Migration(name: "0002_second", sql: "CREATE TABLE two (id int);")
            let migrator = Migrator(pool: pools.queries, migrations: Migrations.all + [compatible, incompatible])
            let error = await #expect(throws: MigrationError.self) { _ = try await migrator.migrate() }
            #expect(error?.description.contains("0002_second cannot be applied while older processors run") == true)
            #expect(error?.description.contains("old-1") == true)
            #expect(error.flatMap { CommandFailure($0)?.status } == .configuration)
            try await Self.execute("UPDATE members SET last_seen = last_seen - interval '1 hour'", on: pools.queries)
            let applied = try await migrator.migrate()
            #expect(applied == ["0002_second"])
        }
    }

    private static func execute(_ sql: String, on pool: PostgresPool) async throws {
        _ = try await pool.transaction { connection throws(PostgresError) in try connection.execute(sql) }
    }

    @Test("refuses a database that a newer version has migrated")
    func newer() async throws {
        try await TestDatabase.with { pools in
            _ = try await Migrator(pool: pools.queries, migrations: Migrations.all + [first]).migrate()
            let error = await #expect(throws: MigrationError.self) {
                _ = try await Migrator(pool: pools.queries).migrate()
            }
            #expect(error?.description.contains("0001_first") == true)
        }
    }

    @Test("accepts what a newer version has migrated where it is marked as compatible with this one, and only then")
    func rolledBack() async throws {
        let newest = Migrations.all.map(\.number).max() ?? 0
        for (compatibleFrom, isAccepted) in [(newest - 1, true), (newest, true), (newest + 1, false)] {
            try await TestDatabase.with { pools in
                let head = "-- compatible-from: \(compatibleFrom)\n-- For the next release.\n"
                let next = Migration(name: "9001_next", sql: head + "CREATE TABLE next (id int);")
                let applied = try await Migrator(pool: pools.queries, migrations: Migrations.all + [next]).migrate()
                #expect(applied == ["9001_next"])
                let old = Migrator(pool: pools.queries)
                if isAccepted {
                    let none = try await old.migrate()
                    #expect(none.isEmpty)
                    try await old.check()
                } else {
                    let error = await #expect(throws: MigrationError.self) { try await old.check() }
                    #expect(error?.description.contains("install the processor that has migration 9001_next") == true)
                }
            }
        }
    }

    @Test("brings up to date what was migrated before it was noted what is compatible")
    func withoutTheColumn() async throws {
        try await TestDatabase.with { pools in
            _ = try await pools.queries.execute("ALTER TABLE schema_migrations DROP COLUMN compatible_from")
            try await Migrator(pool: pools.queries).check()
            let applied = try await Migrator(pool: pools.queries, migrations: Migrations.all + [first]).migrate()
            #expect(applied == ["0001_first"])
        }
    }

    @Test("without the right to change anything, checks the schema, and names what is missing")
    func check() async throws {
        try await TestDatabase.with { pools in
            try await Migrator(pool: pools.queries).check()
            let error = await #expect(throws: MigrationError.self) {
                try await Migrator(pool: pools.queries, migrations: Migrations.all + [first]).check()
            }
            #expect(error?.description.contains("lacks migration 0001_first") == true)
        }
    }

    @Test("waits for a lock in short tries, so that traffic goes on, and applies the migration once it is free")
    func locked() async throws {
        try await TestDatabase.named { url in
            let holder = try await PostgresConnection.connect(try PostgresConfiguration(conninfo: url))
            try await TestDatabase.withPools(of: url) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                let progress = Shared<[String]>([])
                let release = AsyncStream<Void>.makeStream()
                // A reader that takes its time: nothing but an exclusive lock has to wait for it.
                async let reader: Void = holder.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("SELECT count(*) FROM operations")
                        _ = try connection.execute("SELECT pg_sleep(4)")
                    }
                }
                let locks = "SELECT count(*) FROM pg_locks WHERE relation = 'operations'::regclass AND granted"
                try await eventually("the table was in use") {
                    try await pools.queries.execute(locks).single().int64(0) > 0
                }
                let altering = Migration(name: "9001_next", sql: "ALTER TABLE operations ADD COLUMN next int;")
                let migrator = Migrator(pool: pools.queries, migrations: Migrations.all + [altering]) { line in
                    progress.update { $0.append(line) }
                    release.continuation.yield()
                }
                async let applied = migrator.migrate()
                for await _ in release.stream { break }
                #expect(progress.value.first?.contains("9001_next waits for a lock") == true)
                // Whoever comes behind it waits no longer than a try.
                let read = try await pools.claims.execute("SELECT count(*) FROM operations")
                #expect(read.count == 1)
                let names = try await applied
                #expect(names == ["9001_next"])
                try await reader
            }
            await holder.close()
        }
    }

    @Test("takes the time it needs, whatever the timeout of a statement is")
    func slow() async throws {
        try await TestDatabase.named { url in
            let limited = "\(url)\(url.contains("?") ? "&" : "?")options=-c%20statement_timeout%3D300"
            try await TestDatabase.withPools(of: limited) { pools in
                let slow = Migration(name: "0001_slow", sql: "CREATE TABLE t (id int); SELECT pg_sleep(1);")
                let applied = try await Migrator(pool: pools.queries, migrations: [slow]).migrate()
                #expect(applied == ["0001_slow"])
                await #expect(throws: PostgresError.self) {
                    _ = try await pools.queries.execute("SELECT pg_sleep(1)")
                }
            }
        }
    }

    @Test("leaves nothing of a migration that fails")
    func failing() async throws {
        try await TestDatabase.with { pools in
            let failing = Migration(name: "0009_bad", sql: "CREATE TABLE half (id int); SELECT 1 / 0;")
            await #expect(throws: MigrationError.self) {
                _ = try await Migrator(pool: pools.queries, migrations: Migrations.all + [failing]).migrate()
            }
            let tables = try await pools.queries.execute("SELECT 1 FROM pg_tables WHERE tablename = 'half'")
            #expect(tables.isEmpty)
        }
    }
}

/// A value that several tasks of a test write.
private final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func update(_ body: (inout Value) -> Void) { mutex.withLock { body(&$0) } }
}

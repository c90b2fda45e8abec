import Migrations
import Postgres
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

import Crypto
import Migrations
import Postgres

/// Brings the schema up to date: each migration once, in order, each in a transaction of its own, one migrator at a time.
struct Migrator: Sendable {
    let pool: PostgresPool
    let migrations: [Migration]

    init(pool: PostgresPool, migrations: [Migration] = Migrations.all) {
        self.pool = pool
        self.migrations = migrations
    }

    /// The advisory lock that migrators of one database share; any constant that nobody else uses.
    private static let lock: Int64 = 0x7061_796d_656e_7473

    /// The names of the migrations that this call applied.
    func migrate() async throws(MigrationError) -> [String] {
        try await inTransaction(Self.createTable)
        var applied: [String] = []
        for migration in migrations {
            let result = try await inTransaction { connection throws(PostgresError) in
                try Self.apply(migration, on: connection)
            }
            switch result {
            case .applied: applied.append(migration.name)
            case .known: break
            case .edited: throw .edited(migration.name)
            }
        }
        let names = migrations.map(\.name)
        let unknown = try await inTransaction { connection throws(PostgresError) in
            try Self.unknownNames(besides: names, on: connection)
        }
        if let name = unknown.first { throw .newer(name) }
        return applied
    }

    /// Under the lock: two migrators at once would both see that something is not there yet.
    private func inTransaction<Value: Sendable>(
        _ work: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(MigrationError) -> Value {
        do throws(PostgresError) {
            return try await pool.transaction { connection throws(PostgresError) in
                _ = try connection.execute("SELECT pg_advisory_xact_lock($1)", [.int8(Self.lock)])
                return try work(connection)
            }
        } catch {
            throw .database(error)
        }
    }

    private enum Result: Sendable {
        case applied, known, edited
    }

    private static func apply(
        _ migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Result {
        let checksum = Array(SHA256.hash(data: Array(migration.sql.utf8)))
        let rows = try connection.execute(
            "SELECT checksum FROM schema_migrations WHERE name = $1",
            [.text(migration.name)]
        )
        if let row = rows.first { return try row.bytes(0) == checksum ? .known : .edited }
        try connection.executeScript(migration.sql)
        _ = try connection.execute(
            "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
            [.text(migration.name), .bytes(checksum)]
        )
        return .applied
    }

    private static func createTable(on connection: isolated PostgresConnection) throws(PostgresError) {
        _ = try connection.execute(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name text PRIMARY KEY, checksum bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
            )
            """
        )
    }

    private static func unknownNames(
        besides names: [String],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [String] {
        let rows = try connection.execute(
            "SELECT name FROM schema_migrations WHERE name <> ALL ($1::text[]) ORDER BY name",
            [.textArray(names)]
        )
        var unknown: [String] = []
        for row in rows { unknown.append(try row.text(0)) }
        return unknown
    }
}

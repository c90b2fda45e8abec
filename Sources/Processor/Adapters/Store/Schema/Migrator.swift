import Core
import Crypto
import Migrations
import Postgres

/// Brings the schema up to date: each migration once, in order, each in a transaction of its own, one migrator at a time.
///
/// A migration takes the time it needs, without the timeouts of a session. For a lock it waits in short tries, with pauses in
/// between: whoever comes after it in the line for the lock waits no longer than a try.
struct Migrator: Sendable {
    let pool: PostgresPool
    let migrations: [Migration]
    /// Told what a migration is at, in words.
    let onProgress: @Sendable (String) -> Void

    init(
        pool: PostgresPool,
        migrations: [Migration] = Migrations.all,
        onProgress: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.pool = pool
        self.migrations = migrations
        self.onProgress = onProgress
    }

    /// The advisory lock that migrators of one database share; any constant that nobody else uses.
    private static let lock: Int64 = 0x7061_796d_656e_7473
    private static let lockTry = Duration.milliseconds(500)
    static let pause = Duration.seconds(1)
    private static let progressPeriod = Duration.seconds(5)

    /// The names of the migrations that this call applied. Reads only, where there is nothing to apply.
    func migrate() async throws(MigrationError) -> [String] {
        let pending = try await comparison().pending
        if pending.isEmpty { return [] }
        do {
            return try await apply(pending)
        } catch .database(let error) where error.sqlState == .insufficientPrivilege {
            throw .notAllowed(pending.map(\.name))
        }
    }

    /// Reads only.
    ///
    /// - Throws: `outdated` where migrations are missing, and why this version cannot work with the schema.
    func check() async throws(MigrationError) {
        let pending = try await comparison().pending
        if !pending.isEmpty { throw .outdated(pending.map(\.name)) }
    }

    private func comparison() async throws(MigrationError) -> SchemaComparison {
        let recorded: [RecordedMigration]
        do throws(PostgresError) {
            recorded = try await pool.transaction { connection throws(PostgresError) in
                try Self.recorded(on: connection)
            }
        } catch {
            throw .database(error)
        }
        let comparison = SchemaComparison(known: migrations, recorded: recorded)
        if let problem = comparison.problem { throw problem }
        return comparison
    }

    private func apply(_ pending: [Migration]) async throws(MigrationError) -> [String] {
        try await inTransaction("the table of migrations", Self.prepareTable)
        var applied: [String] = []
        for migration in pending {
            if let index = migration.concurrentIndex {
                if try await buildIndex(index, of: migration) { applied.append(migration.name) }
                continue
            }
            let result = try await inTransaction("migration \(migration.name)") { connection throws(PostgresError) in
                try Self.apply(migration, on: connection)
            }
            switch result {
            case .applied: applied.append(migration.name)
            case .known: break
            case .inUse(let processors): throw .inUse(migration.name, by: processors)
            }
        }
        // Another version may have been at it meanwhile.
        _ = try await comparison()
        return applied
    }

    /// Under the lock: two migrators at once would both see that something is not there yet.
    func inTransaction<Value: Sendable>(
        _ what: String,
        _ work: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws(MigrationError) -> Value {
        let ticker = reportProgress(of: what)
        defer { ticker.cancel() }
        var (tries, races) = (0, 0)
        while true {
            do throws(PostgresError) {
                return try await pool.transaction { connection throws(PostgresError) in
                    try Self.begin(on: connection)
                    return try work(connection)
                }
            } catch  where error.sqlState == .internalError && races < Self.mostRaces {
                // Seen where several migrate at once. It was rolled back.
                races += 1
                guard (try? await Task.sleep(for: Self.pause)) != nil else { throw .database(error) }
            } catch  where error.isLockNotAvailable {
                tries += 1
                if tries == 1 { onProgress("\(what) waits for a lock that others hold, in short tries") }
                guard (try? await Task.sleep(for: Self.pause)) != nil else { throw .database(error) }
            } catch {
                throw .database(error)
            }
        }
    }

    /// Until it is cancelled.
    func reportProgress(of what: String) -> Task<Void, Never> {
        let start = ContinuousClock.now
        let progress = onProgress
        return Task {
            while (try? await Task.sleep(for: Self.progressPeriod)) != nil {
                progress("\(what) is still under way, after \((ContinuousClock.now - start).components.seconds) s")
            }
        }
    }

    private static func begin(on connection: isolated PostgresConnection) throws(PostgresError) {
        _ = try connection.execute(
            """
            SELECT set_config('lock_timeout', $1, true), set_config('statement_timeout', '0', true),
                set_config('idle_in_transaction_session_timeout', '0', true)
            """,
            [.text("\(lockTry.components.attoseconds / 1_000_000_000_000_000)ms")]
        )
        _ = try connection.execute("SELECT pg_advisory_xact_lock($1)", [.int8(lock)])
    }

    private enum Applying {
        case applied
        /// Another migrator was first.
        case known
        case inUse([String])
    }

    private static func apply(
        _ migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Applying {
        if try recorded(on: connection).contains(where: { $0.name == migration.name }) { return .known }
        if migration.compatibleFrom == nil {
            let processors = try liveProcessors(on: connection)
            if !processors.isEmpty { return .inUse(processors) }
        }
        try connection.executeScript(migration.sql, isBounded: false)
        try record(migration, on: connection)
        return .applied
    }

    /// Those that were seen lately, which are of a version that does not know what is to be applied. Before there was a table of them
    /// nobody can tell.
    private static func liveProcessors(on connection: isolated PostgresConnection) throws(PostgresError) -> [String] {
        guard try connection.execute("SELECT to_regclass('members') IS NOT NULL").single().bool(0) else { return [] }
        let rows = try connection.execute(
            "SELECT id FROM members WHERE last_seen > clock_timestamp() - make_interval(secs => $1) ORDER BY id",
            [.float8(Double(Member.timeout.components.seconds))]
        )
        var ids: [String] = []
        for row in rows { ids.append(try row.text(0)) }
        return ids
    }

    static func record(_ migration: Migration, on connection: isolated PostgresConnection) throws(PostgresError) {
        _ = try connection.execute(
            "INSERT INTO schema_migrations (name, checksum, compatible_from) VALUES ($1, $2, $3)",
            [
                .text(migration.name), .bytes(migration.checksum),
                .optional(migration.compatibleFrom.map(Int32.init), PostgresValue.int4),
            ]
        )
    }

    private static func prepareTable(on connection: isolated PostgresConnection) throws(PostgresError) {
        try connection.executeScript(
            """
            CREATE TABLE IF NOT EXISTS schema_migrations (
                name text PRIMARY KEY, checksum bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now()
            );
            ALTER TABLE schema_migrations ADD COLUMN IF NOT EXISTS compatible_from integer;
            """,
            isBounded: false
        )
    }

    /// What the database has; also before it has the column that came later.
    static func recorded(
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [RecordedMigration] {
        let exists = try connection.execute("SELECT to_regclass('schema_migrations') IS NOT NULL")
        guard try exists.single().bool(0) else { return [] }
        var recorded: [RecordedMigration] = []
        for row in try connection.execute(
            "SELECT name, checksum, (to_jsonb(m) ->> 'compatible_from')::integer FROM schema_migrations m ORDER BY name"
        ) {
            recorded.append(
                RecordedMigration(
                    name: try row.text(0),
                    checksum: try row.bytes(1),
                    compatibleFrom: try row.optionalInt32(2).map(Int.init)
                )
            )
        }
        return recorded
    }
}

/// Why the schema is not what this version needs, and the way out.
enum MigrationError: Error, CustomStringConvertible {
    /// A file that was applied has been changed since.
    case edited(String)
    /// The database has a migration that this version does not know, and that is not marked as compatible with it.
    case newer(String, known: String)
    /// Migrations are missing, and this processor is not to apply them.
    case outdated([String])
    /// Migrations are missing, and the role may not apply them.
    case notAllowed([String])
    /// Processors still run that do not know the migration, and cannot work with it.
    case inUse(String, by: [String])
    case database(PostgresError)

    /// The database could not be reached: trying again later may help.
    var isRetriable: Bool {
        switch self {
        case .edited, .newer, .outdated, .notAllowed, .inUse: false
        case .database(let error): error.isRetriable
        }
    }

    var description: String {
        switch self {
        case .edited(let name):
            "migration \(name) was edited after it had been applied; restore the file and put the change into a new one"
        case .newer(let name, let known):
            "the database has migration \(name), which this version does not know (its newest is \(known)) and cannot work "
                + "with; install the processor that has migration \(name), or a newer one"
        case .outdated(let names):
            "the database schema lacks \(Self.list(names)); run `processor migrate` of this version with a role that owns the "
                + "schema, or set database.migrate (DATABASE_MIGRATE) to true"
        case .notAllowed(let names):
            "the database schema lacks \(Self.list(names)), and the role of database.url (DATABASE_URL) may not change the "
                + "schema; run `processor migrate` of this version with a role that owns it"
        case .inUse(let name, let processors):
            "migration \(name) cannot be applied while older processors run, which cannot work with it: "
                + "\(processors.joined(separator: ", ")); stop them first, or wait ten seconds after one was killed"
        case .database(let error):
            "the migration failed: \(error)"
        }
    }

    private static func list(_ names: [String]) -> String {
        (names.count == 1 ? "migration " : "migrations ") + names.joined(separator: ", ")
    }
}

/// A migration as the database remembers it.
struct RecordedMigration: Hashable, Sendable {
    let name: String
    let checksum: [UInt8]
    /// The number of the newest migration that a processor must know, at least, to work with it; `nil`: this one.
    let compatibleFrom: Int?
}

/// What the migrations that this version knows and those that the database has amount to.
struct SchemaComparison: Sendable {
    /// Still to be applied, in order.
    let pending: [Migration]
    /// Why this version cannot work with the schema, whatever is applied.
    let problem: MigrationError?

    init(known: [Migration], recorded: [RecordedMigration]) {
        let byName = Dictionary(recorded.map { ($0.name, $0) }) { first, _ in first }
        pending = known.filter { byName[$0.name] == nil }
        let newest = known.map(\.number).max() ?? 0
        let names = Set(known.map(\.name))
        let foreign = recorded.filter { !names.contains($0.name) && ($0.compatibleFrom ?? .max) > newest }
        if let edited = known.first(where: { byName[$0.name].map(\.checksum) ?? $0.checksum != $0.checksum }) {
            problem = .edited(edited.name)
        } else if let newer = foreign.map(\.name).max() {
            problem = .newer(newer, known: known.last?.name ?? "none")
        } else {
            problem = nil
        }
    }
}

extension Migration {
    var checksum: [UInt8] { Array(SHA256.hash(data: Array(sql.utf8))) }
}

import Core
import Postgres

/// What is done with a database before it is used: see whether it is fit, and bring its schema up to date, or only check it.
struct DatabasePreparation: Sendable {
    let pool: PostgresPool
    let configuration: ProcessorConfiguration
    /// Told what goes on, in words.
    let onProgress: @Sendable (String) -> Void

    /// The names of the migrations that were applied.
    ///
    /// - Parameter migrates: false to only check the schema.
    /// - Throws: `ConfigurationError` where the database is not fit, `MigrationError`.
    func run(migrates: Bool) async throws -> [String] {
        let expected = configuration.database.statementTimeoutMilliseconds
        let (problems, pooling) = try await facts(expected)
        guard problems.isEmpty else { throw ConfigurationError(problems: problems) }
        if pooling == .forgetsPrepared {
            onProgress(
                "a connection pooler stands before the database and keeps no prepared statements, so that each is planned anew; "
                    + "PgBouncer from 1.21 keeps them with max_prepared_statements"
            )
        }
        let migrator = Migrator(pool: pool, onProgress: onProgress)
        if migrates { return try await migrator.migrate() }
        try await migrator.check()
        return []
    }

    /// - Throws: `ConfigurationError` where the role may not do what a processor does, before anything is taken.
    func checkRights() async throws {
        let (role, forbidden): (String, [String])
        do throws(PostgresError) {
            (role, forbidden) = try await pool.transaction { connection throws(PostgresError) in
                (try RoleRights.name(on: connection), try RoleRights.forbidden(on: connection))
            }
        } catch {
            throw MigrationError.database(error)
        }
        guard !forbidden.isEmpty else { return }
        let tables = forbidden.joined(separator: ", ")
        throw ConfigurationError(
            problems: [
                "database.url: the role \(role) may not do what is needed with \(tables): let their owner run what "
                    + "'processor grants --role \(role)' prints"
            ]
        )
    }

    private func facts(_ expected: Int64?) async throws(MigrationError) -> ([String], PostgresPooling) {
        do throws(PostgresError) {
            return try await pool.transaction { connection throws(PostgresError) in
                (try DatabaseFacts(on: connection).problems(statementTimeout: expected), connection.pooling)
            }
        } catch {
            throw .database(error)
        }
    }
}

/// What a database must be like for the promises to hold, as seen in a session.
struct DatabaseFacts: Hashable, Sendable {
    let encoding: String
    let synchronousCommit: String
    /// In milliseconds.
    let statementTimeout: Int64
    /// Where a new table would go; `nil` where the search path names no schema that there is.
    let schema: String?
    /// The schemas of the search path that have a table `schema_migrations`, in its order.
    let migrated: [String]
    /// Whether the first of these tables has our columns.
    let isOurs: Bool

    init(
        encoding: String = "UTF8",
        synchronousCommit: String = "on",
        statementTimeout: Int64 = 5_000,
        schema: String? = "public",
        migrated: [String] = [],
        isOurs: Bool = true
    ) {
        self.encoding = encoding
        self.synchronousCommit = synchronousCommit
        self.statementTimeout = statementTimeout
        self.schema = schema
        self.migrated = migrated
        self.isOurs = isOurs
    }

    init(on connection: isolated PostgresConnection) throws(PostgresError) {
        let row = try connection.execute(
            """
            SELECT current_setting('server_encoding'), current_setting('synchronous_commit'),
                (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'),
                current_schema()::text, coalesce(array_agg(s.name::text ORDER BY s.place) FILTER (WHERE c.oid IS NOT NULL), '{}'),
                (SELECT count(*) FROM pg_attribute a WHERE a.attrelid = to_regclass('schema_migrations')
                    AND a.attname IN ('name', 'checksum', 'applied_at') AND NOT a.attisdropped)
            FROM unnest(current_schemas(false)) WITH ORDINALITY AS s (name, place)
            JOIN pg_namespace n ON n.nspname = s.name
            LEFT JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = 'schema_migrations'
            """
        ).single()
        let migrated = try row.textArray(4).compactMap(\.self)
        let ownColumns = try row.int64(5)
        self.init(
            encoding: try row.text(0),
            synchronousCommit: try row.text(1),
            statementTimeout: try row.int64(2),
            schema: try row.optionalText(3),
            migrated: migrated,
            isOurs: migrated.isEmpty || ownColumns == 3
        )
    }

    /// One line each, with the way out. Empty: it is fit.
    ///
    /// - Parameter statementTimeout: that was set, in milliseconds; `nil` where that is not known.
    func problems(statementTimeout expected: Int64?) -> [String] {
        var problems: [String] = []
        if encoding != "UTF8" {
            problems.append(
                "the database has the encoding \(encoding); create one with ENCODING 'UTF8' TEMPLATE template0"
            )
        }
        if ["off", "local"].contains(synchronousCommit) {
            problems.append(
                "synchronous_commit is \(synchronousCommit), so commits can be lost after they were answered; "
                    + "set it to on for this role and database"
            )
        }
        if let expected, statementTimeout != expected {
            problems.append(
                "the settings of the session do not hold; let the connection pooler keep them (PgBouncer: pool_mode = "
                    + "session, or transaction from version 1.21), or connect to the server itself"
            )
        }
        if schema == nil {
            problems.append(
                "the search_path names no schema that this role may use; set it to the schema of the tables"
            )
        } else if migrated.count > 1 {
            problems.append(
                "schema_migrations is in several schemas of the search_path, of which \(migrated[0]) hides "
                    + "\(migrated.dropFirst().joined(separator: ", ")); set search_path to the one that has the payments"
            )
        } else if let place = migrated.first, place != schema {
            problems.append(
                "schema_migrations is in the schema \(place), but new tables would go to \(schema ?? ""), which comes "
                    + "first in the search_path; set search_path to \(place)"
            )
        } else if !isOurs {
            problems.append(
                "the schema \(schema ?? "") has a table schema_migrations of another program; give the processor a schema or "
                    + "database of its own"
            )
        }
        return problems.map { "database.url (DATABASE_URL): \($0)" }
    }
}

/// Whether the database role may do what a processor does (`GrantStatements`).
enum RoleRights {
    /// The tables of ours with which it may not.
    static func forbidden(on connection: isolated PostgresConnection) throws(PostgresError) -> [String] {
        let row = try connection.execute(
            """
            SELECT coalesce(array_agg(DISTINCT c.relname::text ORDER BY c.relname::text), '{}') FROM pg_class c
            JOIN (VALUES \(needs)) AS needed (name, "right") ON needed.name = c.relname
            WHERE c.relkind IN ('r', 'p') AND c.relnamespace = to_regnamespace(quote_ident(current_schema()))
                AND NOT has_table_privilege(c.oid, needed."right")
            """
        ).single()
        return try row.textArray(0).compactMap(\.self)
    }

    /// The name of the role.
    static func name(on connection: isolated PostgresConnection) throws(PostgresError) -> String {
        try connection.execute("SELECT current_user::text").single().text(0)
    }

    /// Names of ours only: nothing to escape.
    private static var needs: String {
        let tables: [([String], [String])] = [
            (GrantStatements.read, ["SELECT"]), (GrantStatements.added, ["SELECT", "INSERT"]),
            (GrantStatements.changed, ["SELECT", "INSERT", "UPDATE"]),
            (GrantStatements.removed, ["SELECT", "INSERT", "UPDATE", "DELETE"]),
        ]
        return tables.flatMap { names, rights in names.flatMap { name in rights.map { "('\(name)', '\($0)')" } } }
            .joined(separator: ", ")
    }
}

/// Keeps a processor from starting with another `fingerprint.secret` than the database has seen: every honest duplicate would
/// be reported `idempotency_key_reused` (docs/contract.md#configuration).
struct FingerprintGuard: Sendable {
    let pool: PostgresPool

    /// The first processor writes the check value, every later one compares. One of a secret before gives way to the current one's.
    func accepts(_ fingerprinter: Fingerprinter) async throws(StoreError) -> Bool {
        let value = fingerprinter.checkValue
        return try await pool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                "INSERT INTO processor_facts (name, value) VALUES ('fingerprint.check', $1) ON CONFLICT DO NOTHING",
                [.bytes(value)]
            )
            let rows = try connection.execute(
                "SELECT value FROM processor_facts WHERE name = 'fingerprint.check' FOR UPDATE"
            )
            let known = try rows.single().bytes(0)
            if known == value { return true }
            guard fingerprinter.previousCheckValues.contains(known) else { return false }
            try connection.enqueue(
                "UPDATE processor_facts SET value = $1 WHERE name = 'fingerprint.check'",
                [.bytes(value)]
            )
            return true
        }
    }
}

import Postgres

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

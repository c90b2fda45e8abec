import Postgres

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

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

import Migrations
import Postgres

extension Migrator {
    /// Builds an index while others write to its table. The statement waits for every transaction that is older than it, so none may wait
    /// for us meanwhile: other migrators try a lock of the session, and come again.
    ///
    /// - Returns: whether it was applied now.
    func buildIndex(_ index: String, of migration: Migration) async throws(MigrationError) -> Bool {
        let ticker = reportProgress(of: "migration \(migration.name)")
        defer { ticker.cancel() }
        while true {
            let isNew: Bool?
            do throws(PostgresError) {
                isNew = try await pool.withConnection { connection throws(PostgresError) in
                    try Self.tryToBuild(index, of: migration, on: connection)
                }
            } catch {
                throw .database(error)
            }
            if let isNew { return isNew }
            // Cancelled, the next try says so.
            try? await Task.sleep(for: Self.pause)
        }
    }

    /// - Returns: whether it was applied now; `nil` where another migrator is at it.
    private static func tryToBuild(
        _ index: String,
        of migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Bool? {
        if try isRecorded(migration, on: connection) { return false }
        let locked = try connection.execute("SELECT pg_try_advisory_lock(hashtextextended($1, 0))", [.text(index)])
        guard try locked.single().bool(0) else { return nil }
        let result: Result<Bool, PostgresError>
        do throws(PostgresError) {
            result = .success(try build(index, of: migration, on: connection))
        } catch {
            result = .failure(error)
        }
        // A session that is lost has no lock any more.
        _ = try? connection.execute("SELECT pg_advisory_unlock(hashtextextended($1, 0))", [.text(index)])
        return try result.get()
    }

    private static func build(
        _ index: String,
        of migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Bool {
        if try isRecorded(migration, on: connection) { return false }
        let validity = try connection.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
            [.text(index)]
        )
        let isValid = try validity.first?.bool(0)
        try unbounded(on: connection) { connection throws(PostgresError) in
            if isValid == false {
                // One that was broken off.
                try connection.executeScript("DROP INDEX CONCURRENTLY IF EXISTS \(index)", isBounded: false)
            }
            if isValid != true { try connection.executeScript(migration.sql, isBounded: false) }
        }
        try record(migration, on: connection)
        return true
    }

    private static func isRecorded(
        _ migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Bool {
        try recorded(on: connection).contains { $0.name == migration.name }
    }

    /// As long as it takes. The statements take no lock that one of the traffic waits for.
    private static func unbounded(
        on connection: isolated PostgresConnection,
        _ work: (isolated PostgresConnection) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        let settings = timeouts.map { "current_setting('\($0)')" }.joined(separator: ", ")
        let values = try connection.execute("SELECT \(settings)").single()
        for name in timeouts { _ = try connection.execute("SELECT set_config($1, '0', false)", [.text(name)]) }
        let result: Result<Void, PostgresError>
        do throws(PostgresError) {
            try work(connection)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        for (position, name) in timeouts.enumerated() {
            _ = try connection.execute(
                "SELECT set_config($1, $2, false)",
                [.text(name), .text(try values.text(position))]
            )
        }
        try result.get()
    }

    private static let timeouts = ["statement_timeout", "lock_timeout"]
}

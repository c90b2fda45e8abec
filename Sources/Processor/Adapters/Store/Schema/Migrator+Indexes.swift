import Migrations
import Postgres

/// Indexes that are built while others write to their table. No lock is held meanwhile: not by a transaction, for which the
/// build would wait, and not by a session, which a connection pooler may give to others. The server itself lets one at a time
/// build on a table, and others see it by the table's lock.
extension Migrator {
    /// - Returns: whether it was applied now.
    func buildIndex(_ index: Migration.Index, of migration: Migration) async throws(MigrationError) -> Bool {
        let what = "migration \(migration.name)"
        let ticker = reportProgress(of: what)
        defer { ticker.cancel() }
        var races = 0
        while true {
            let step = try await inTransaction(what) { connection throws(PostgresError) in
                try Self.nextStep(index, of: migration, on: connection)
            }
            if case .ended(let isNew) = step { return isNew }
            do throws(PostgresError) {
                try await pool.withConnection { connection throws(PostgresError) in
                    try Self.unbounded(on: connection) { connection throws(PostgresError) in
                        try connection.executeScript(migration.sql, isBounded: false)
                    }
                }
            } catch  where Self.isRace(error) || error.sqlState == .internalError && races < Self.mostRaces {
                if !Self.isRace(error) { races += 1 }
                // Another migrator had begun in between. The next step sees what it has left.
                guard (try? await Task.sleep(for: Self.pause * Double.random(in: 0.5...2))) != nil else {
                    throw .database(error)
                }
            } catch {
                throw .database(error)
            }
        }
    }

    private enum IndexStep: Sendable {
        case build
        case ended(isNew: Bool)
    }

    /// Under the lock of the migrators.
    private static func nextStep(
        _ index: Migration.Index,
        of migration: Migration,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> IndexStep {
        if try recorded(on: connection).contains(where: { $0.name == migration.name }) { return .ended(isNew: false) }
        // Writers go on under this lock. Whoever builds an index has it, too.
        try connection.executeScript("LOCK TABLE \(index.table) IN SHARE UPDATE EXCLUSIVE MODE")
        let validity = try connection.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass($1)",
            [.text(index.name)]
        )
        switch try validity.first?.bool(0) {
        case true?:
            try record(migration, on: connection)
            return .ended(isNew: true)
        case false?:
            // One that was broken off: nobody is at it.
            try connection.executeScript("DROP INDEX \(index.name)")
            return .build
        case nil: return .build
        }
    }

    /// Two that begin at once wait for each other, until one of them is refused.
    private static func isRace(_ error: PostgresError) -> Bool {
        error.isLockNotAvailable || [.deadlockDetected, .uniqueViolation].contains(error.sqlState)
    }

    /// Internal errors (XX000) that are taken for the work of another migrator: any other one must end.
    static let mostRaces = 100

    /// As long as it takes. The statements take no lock that one of the traffic waits for. Through a pooler our settings end
    /// with their transaction, so the server's own are in force.
    private static func unbounded(
        on connection: isolated PostgresConnection,
        _ work: (isolated PostgresConnection) throws(PostgresError) -> Void
    ) throws(PostgresError) {
        guard connection.pooling == .none else { return try work(connection) }
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

@testable import Postgres

/// A schema of a random name, first in the search path of every connection made with `configuration`, dropped in the
/// end.
struct TestSchema: Sendable {
    let name: String
    private let changes: [String: String]

    static func with<Value>(
        _ changes: [String: String] = [:],
        _ body: (TestSchema) async throws -> Value
    ) async throws -> Value {
        let schema = TestSchema(name: "test_" + String(UInt64.random(in: .min ... .max), radix: 36), changes: changes)
        let admin = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        _ = try await admin.execute("CREATE SCHEMA \(schema.name)")
        do {
            let value = try await body(schema)
            try await schema.drop(admin)
            return value
        } catch {
            try await schema.drop(admin)
            throw error
        }
    }

    func configuration(_ changes: [String: String] = [:]) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(
            conninfo: TestServer.conninfo(self.changes.merging(changes) { $1 }),
            applicationName: name
        )
        configuration.sessionSettings = [("search_path", name), ("deadlock_timeout", "100ms")]
        return configuration
    }

    func connect(
        _ changes: [String: String] = [:],
        _ adjust: (inout PostgresConfiguration) -> Void = { _ in }
    ) async throws -> PostgresConnection {
        var configuration = try configuration(changes)
        adjust(&configuration)
        return try await PostgresConnection.connect(configuration)
    }

    private func drop(_ admin: PostgresConnection) async throws {
        // Whoever is left over from a failed test would hold the drop up.
        _ = try await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            [.text(name)]
        )
        _ = try await admin.execute("DROP SCHEMA \(name) CASCADE")
        await admin.close()
    }
}

extension PostgresConnection {
    /// Waits, within the suite's time limit, until a query of one boolean says true.
    func waitUntil(_ query: String, _ parameters: [PostgresValue] = []) async throws {
        while try !execute(query, parameters).single().bool(0) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until the server's process waits for a lock.
    func waitUntilBlocked(_ process: Int32) async throws {
        try await waitUntil(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')",
            [.int4(process)]
        )
    }

    /// Waits until the server's process is at a statement that has this text in it.
    func waitUntilRunning(_ process: Int32, _ text: String) async throws {
        try await waitUntil(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
                           WHERE pid = $1 AND state = 'active' AND position($2 in query) > 0)
            """,
            [.int4(process), .text(text)]
        )
    }

    func terminate(_ process: Int32) throws(PostgresError) {
        _ = try execute("SELECT pg_terminate_backend($1)", [.int4(process)])
    }
}

/// What an expression throws, if it is of the driver's.
func postgresError(_ body: () async throws -> some Any) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

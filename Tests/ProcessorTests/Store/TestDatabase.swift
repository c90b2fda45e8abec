import Foundation
import Postgres
import Testing

@testable import Processor

/// A fresh, migrated database on the server of `DATABASE_URL`, gone afterwards.
enum TestDatabase {
    static func with(_ body: @Sendable (DatabasePools) async throws -> Void) async throws {
        try await named { url in
            try await withPools(of: url) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                try await body(pools)
            }
        }
    }

    /// A fresh database by its address, empty.
    ///
    /// - Parameter options: what stands behind its name in `CREATE DATABASE`.
    static func named(_ options: String = "", _ body: @Sendable (String) async throws -> Void) async throws {
        let url = try #require(
            ProcessInfo.processInfo.environment["DATABASE_URL"],
            "DATABASE_URL is not set: run the tests with `make test`"
        )
        let name = "test_\(UUID().uuidString.lowercased().prefix(8))"
        let server = try PostgresConfiguration(conninfo: url)
        try await execute("CREATE DATABASE \(name) \(options)", on: server)
        let result: Result<Void, any Error>
        do {
            try await body(try replacingDatabase(in: url, with: name))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await execute("DROP DATABASE \(name) WITH (FORCE)", on: server)
        try result.get()
    }

    static func withPools(
        of url: String,
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in },
        _ body: @Sendable (DatabasePools) async throws -> Void
    ) async throws {
        let pools = DatabasePools(try PostgresConfiguration(conninfo: url), onStateChange: onStateChange)
        let running = Task { await pools.run() }
        let result: Result<Void, any Error>
        do {
            try await body(pools)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        running.cancel()
        await running.value
        try result.get()
    }

    private static func execute(_ sql: String, on configuration: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(configuration)
        // A script, because these may not stand in a transaction of their own.
        let result: Result<Void, PostgresError>
        do throws(PostgresError) {
            try await connection.run { connection throws(PostgresError) in try connection.executeScript(sql) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await connection.close()
        try result.get()
    }

    private static func replacingDatabase(in url: String, with name: String) throws -> String {
        var components = try #require(URLComponents(string: url))
        components.path = "/\(name)"
        return try #require(components.string)
    }
}

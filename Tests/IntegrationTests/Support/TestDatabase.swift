import Core
import Postgres
import TestSupport

/// A database of a test's own, made empty and dropped at the end.
struct TestDatabase: Sendable {
    let name: String
    let url: String
    private let serverURL: String

    init(_ servers: TestServers) async throws {
        name = "test_\(Random.name)"
        serverURL = servers.databaseURL
        url = ServerURL(serverURL).database(name)
        try await Self.run("CREATE DATABASE \(name)", at: serverURL)
    }

    func drop() async throws {
        try await Self.run("DROP DATABASE IF EXISTS \(name) WITH (FORCE)", at: serverURL)
    }

    /// While it is away it takes no connections, and has ended those that there were.
    func setAway(_ isAway: Bool) async throws {
        try await Self.run("ALTER DATABASE \(name) ALLOW_CONNECTIONS \(!isAway)", at: serverURL)
        guard isAway else { return }
        let backends = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '\(name)'"
        try await Self.run(backends, at: serverURL)
    }

    func execute(_ sql: String) async throws {
        try await Self.run(sql, at: url)
    }

    /// The rows of a query, each as an object of its columns.
    func rows(_ sql: String) async throws -> [JSONValue] {
        let texts = try await Self.withConnection(to: url) { connection throws(PostgresError) in
            var texts: [String] = []
            for row in try connection.execute("SELECT row_to_json(t)::text FROM (\(sql)) AS t") {
                texts.append(try row.text(0))
            }
            return texts
        }
        return try texts.map { try JSONParser.parse(Array($0.utf8)) }
    }

    /// The one number of a query.
    func number(_ sql: String) async throws -> Int64 {
        try await rows("SELECT (\(sql)) AS n").first?["n"]?.integer ?? 0
    }

    private static func run(_ sql: String, at url: String) async throws {
        try await withConnection(to: url) { connection throws(PostgresError) in _ = try connection.execute(sql) }
    }

    /// A connection for each call: a test may have restarted the server in between.
    private static func withConnection<Value: Sendable>(
        to url: String,
        _ work: @Sendable (isolated PostgresConnection) throws(PostgresError) -> Value
    ) async throws -> Value {
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(conninfo: url, applicationName: "test", connectTimeout: .seconds(30))
        )
        let result: Result<Value, any Error>
        do {
            result = .success(try await connection.run(work))
        } catch {
            result = .failure(error)
        }
        await connection.close()
        return try result.get()
    }
}

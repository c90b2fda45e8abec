import Core
import Foundation
import Postgres
import TestSupport
import Testing

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

/// A PgBouncer in front of a test's database.
struct PgBouncer: Sendable {
    enum Mode: String, Sendable {
        case session, transaction
    }

    struct Kind: Sendable, CustomTestStringConvertible {
        let version: String
        let mode: Mode

        var testDescription: String { "PgBouncer \(version), \(mode)" }

        fileprivate var program: String { "\(PrivateServices.root)/.local/pgbouncer-\(version)/run" }

        /// Those that `scripts/pgbouncer-version`, which `make test` calls, has got: that needs Debian's archive.
        static let here = [
            Kind(version: "1.18", mode: .session), Kind(version: "1.18", mode: .transaction),
            Kind(version: "1.24", mode: .session), Kind(version: "1.24", mode: .transaction),
        ].filter { access($0.program, X_OK) == 0 }
    }

    /// The address of the database by way of it.
    let url: String

    /// - Parameters:
    ///   - poolSize: connections to the server, of all clients together.
    ///   - isRoundRobin: whether each transaction goes to another connection than the one before, where there are several.
    static func run(
        _ kind: Kind,
        to database: String,
        poolSize: Int = 20,
        isRoundRobin: Bool = false,
        _ body: (PgBouncer) async throws -> Void
    ) async throws {
        var address = try #require(URLComponents(string: database))
        let server = address
        let port = try ListeningSocket.unusedPort()
        address.port = Int(port)
        let directory = try ScratchDirectory()
        defer { directory.remove() }
        let file = directory.file("pgbouncer.ini")
        let text = """
            [databases]
            \(server.path.dropFirst()) = host=127.0.0.1 port=\(server.port ?? 5432) user=\(server.user ?? "") \
            password=\(server.password ?? "")
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = \(port)
            unix_socket_dir =
            auth_type = any
            pool_mode = \(kind.mode)
            default_pool_size = \(poolSize)
            server_round_robin = \(isRoundRobin ? 1 : 0)
            \(kind.version == "1.18" ? "" : "max_prepared_statements = 200")
            \(getuid() == 0 ? "user = postgres" : "")

            """
        try text.write(toFile: file, atomically: true, encoding: .utf8)
        let child = try Child(kind.program, [file])
        do {
            try await eventually("PgBouncer listened", context: { child.lastWords }) {
                child.standardError.contains("process up")
            }
            try await body(PgBouncer(url: try #require(address.string)))
        } catch {
            Issue.record("\(child.lastWords)")
            try? await child.crash()
            throw error
        }
        try await child.crash()
        child.directory.remove()
    }
}

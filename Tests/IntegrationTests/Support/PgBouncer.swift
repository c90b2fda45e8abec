import Foundation
import TestSupport
import Testing

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

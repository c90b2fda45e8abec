import Glibc
import TestSupport

/// A RabbitMQ and a PostgreSQL that only one test uses, and may therefore restart.
final class PrivateServices: Sendable {
    /// More than the two of them, or others than usual.
    struct Kind: Sendable {
        var names = ["rabbitmq", "postgres"]
        /// What `scripts/services` reads: `RABBITMQ`, by default as for the whole suite, `STANDBY`, `TLS`.
        var environment = RabbitMQVersion.ofTheSuite.environment
    }

    let servers: TestServers
    /// The broker's address over TLS, where it speaks it.
    let amqpsURL: String?
    /// The management API of the broker.
    let managementURL: String?
    /// With their logs and, but for PostgreSQL's, which `postgres/place` leads to, their data.
    let directory: String

    /// Starts them, gives them to a test, and takes them down whatever happened.
    static func run(_ kind: Kind = Kind(), _ body: (PrivateServices) async throws -> Void) async throws {
        let directory = try ScratchDirectory()
        do {
            try await body(try await PrivateServices(kind, directory))
        } catch {
            try? await Self.call(["down"], directory.path)
            throw error
        }
        try await Self.call(["down"], directory.path)
        directory.remove()
    }

    private init(_ kind: Kind, _ directory: ScratchDirectory) async throws {
        self.directory = directory.path
        try await Self.call(["up"] + kind.names, directory.path, kind.environment)
        var addresses: [String: String] = [:]
        for line in ScratchDirectory.read(directory.file("env")).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            addresses[String(parts[0])] = parts.last.map { String($0.filter { $0 != "'" }) }
        }
        // Not all sets have a database.
        guard let amqpURL = addresses["AMQP_URL"],
            let databaseURL = addresses["DATABASE_URL"] ?? (kind.names.contains("postgres") ? nil : "")
        else {
            throw ChildError("scripts/services up wrote no addresses")
        }
        amqpsURL = addresses["AMQPS_URL"]
        managementURL = addresses["RABBITMQ_MANAGEMENT_URL"]
        servers = TestServers(amqpURL: amqpURL, databaseURL: databaseURL)
    }

    /// `restart`, `kill` or `start` of one of them, and what else `scripts/services` knows.
    func call(_ action: String, _ service: String) async throws {
        try await Self.call([action, service], directory)
    }

    /// SIGSTOP makes a server hang: its kernel still answers for it. SIGCONT lets it go on.
    func send(_ signal: Int32, to service: String) throws {
        let text = ScratchDirectory.read("\(directory)/\(service)/pid").split(separator: "\n").first ?? ""
        guard let processID = pid_t(text), kill(processID, signal) == 0 else {
            throw ChildError("\(service) could not be sent signal \(signal)")
        }
    }

    private static func call(
        _ arguments: [String],
        _ directory: String,
        _ environment: [String: String] = [:]
    ) async throws {
        let environment = environment.merging(["SERVICES_DIR": directory]) { $1 }
        let script = try Child("\(root)/scripts/services", arguments, environment: environment)
        let exit = try await script.end(within: .seconds(400))
        guard exit == .status(0) else {
            throw ChildError("scripts/services \(arguments.joined(separator: " ")) failed\n\(script.lastWords)")
        }
        script.directory.remove()
    }

    /// Of the repository: Tests/IntegrationTests/Support is three folders below it.
    static var root: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    }
}

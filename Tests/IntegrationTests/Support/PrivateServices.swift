import Glibc
import TestSupport

/// A RabbitMQ and a PostgreSQL that only one test uses, and may therefore restart.
final class PrivateServices: Sendable {
    let servers: TestServers
    private let directory: String

    /// Starts them, gives them to a test, and takes them down whatever happened.
    static func run(_ body: (PrivateServices) async throws -> Void) async throws {
        let directory = try ScratchDirectory()
        do {
            try await body(try await PrivateServices(directory))
        } catch {
            try? await Self.call(["down"], directory.path)
            throw error
        }
        try await Self.call(["down"], directory.path)
        directory.remove()
    }

    private init(_ directory: ScratchDirectory) async throws {
        self.directory = directory.path
        try await Self.call(["up", "rabbitmq", "postgres"], directory.path)
        var addresses: [String: String] = [:]
        for line in ScratchDirectory.read(directory.file("env")).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1)
            addresses[String(parts[0])] = parts.last.map { String($0.filter { $0 != "'" }) }
        }
        guard let amqpURL = addresses["AMQP_URL"], let databaseURL = addresses["DATABASE_URL"] else {
            throw ChildError("scripts/services up wrote no addresses")
        }
        servers = TestServers(amqpURL: amqpURL, databaseURL: databaseURL)
    }

    /// `restart`, `kill` or `start` of `rabbitmq` or `postgres`.
    func call(_ action: String, _ service: String) async throws {
        try await Self.call([action, service], directory)
    }

    private static func call(_ arguments: [String], _ directory: String) async throws {
        let script = try Child("\(root)/scripts/services", arguments, environment: ["SERVICES_DIR": directory])
        let exit = try await script.end(within: .seconds(400))
        guard exit == .status(0) else {
            throw ChildError("scripts/services \(arguments.joined(separator: " ")) failed\n\(script.lastWords)")
        }
        script.directory.remove()
    }

    /// Of the repository: Tests/IntegrationTests/Support is three folders below it.
    private static var root: String {
        #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4).joined(separator: "/")
    }
}

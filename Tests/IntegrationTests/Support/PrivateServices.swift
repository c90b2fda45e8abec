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

/// A PostgreSQL primary with a streaming standby, and a RabbitMQ, that only one test uses. The address of the database names
/// both: a client finds whichever of them takes writes.
struct DatabasePair: Sendable {
    private let services: PrivateServices

    var servers: TestServers { services.servers }

    /// Starts them, gives them to a test, and takes them down whatever happened.
    ///
    /// - Parameter isSynchronous: whether a commit waits for the standby.
    static func run(isSynchronous: Bool = false, _ body: (DatabasePair) async throws -> Void) async throws {
        var kind = PrivateServices.Kind(names: ["rabbitmq", "postgres", "standby"])
        if isSynchronous { kind.environment["STANDBY"] = "synchronous" }
        try await PrivateServices.run(kind) { services in try await body(DatabasePair(services: services)) }
    }

    /// What the primary commits from now on does not reach the standby.
    func fallBehind() async throws { try await services.call("stall", "standby") }

    /// The standby gets what was held back.
    func catchUp() async throws { try await services.call("resume", "standby") }

    /// Ends every process of the primary at once, as a failure of its machine would.
    func killPrimary() async throws { try await services.call("kill", "postgres") }

    /// Ends the primary in good order, as for a planned switchover: the standby gets all that was committed.
    func stopPrimary() async throws { try await services.call("stop", "postgres") }

    /// Stops every process of the primary where it is, as a machine does whose storage is gone: its kernel goes on answering.
    func freezePrimary() async throws { try await services.call("freeze", "postgres") }

    /// Lets the primary go on.
    func thawPrimary() async throws { try await services.call("thaw", "postgres") }

    /// Makes a primary of the standby, with what it has received.
    func promote() async throws { try await services.call("promote", "standby") }
}

extension PrivateServices {
    /// Keeps a copy of the database as it is now.
    func backUp() async throws { try await call("backup", "postgres") }

    /// Puts the database back to the copy, as after a disaster. Clients lose their connections.
    func restore() async throws { try await call("restore", "postgres") }
}

/// Three nodes of RabbitMQ that are one cluster, and a PostgreSQL, for one test alone.
final class BrokerCluster: Sendable {
    let nodes: [PrivateServices]

    private init(_ nodes: [PrivateServices]) {
        self.nodes = nodes
    }

    /// Starts them, gives them to a test, and takes them down whatever happened.
    ///
    /// - Parameter first: what the first of the three has beside its broker: a PostgreSQL, perhaps with a standby.
    static func run(
        _ first: PrivateServices.Kind = PrivateServices.Kind(),
        _ body: (BrokerCluster) async throws -> Void
    ) async throws {
        try await PrivateServices.run(first) { first in
            var joining = PrivateServices.Kind(names: ["rabbitmq"])
            joining.environment["RABBITMQ_CLUSTER"] = first.directory
            try await PrivateServices.run(joining) { second in
                try await PrivateServices.run(joining) { third in
                    try await body(BrokerCluster([first, second, third]))
                }
            }
        }
    }

    /// All nodes in one address, those from the index on first.
    func servers(from index: Int = 0) -> TestServers {
        let ports = nodes.indices.map { ServerURL(nodes[($0 + index) % nodes.count].servers.amqpURL).port }
        let url = ServerURL(nodes[0].servers.amqpURL).hosts(ports)
        return TestServers(amqpURL: url + "?heartbeat=2", databaseURL: nodes[0].servers.databaseURL)
    }
}

/// A version of the broker, as `scripts/services` starts it.
struct RabbitMQVersion: Sendable {
    /// `4.0`; `nil` for the system's.
    let name: String?

    /// What `make test RABBITMQ=…` was called with.
    static let ofTheSuite = RabbitMQVersion(
        name: getenv("RABBITMQ").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    )
    static let four = RabbitMQVersion(name: "4.0")

    var environment: [String: String] { name.map { ["RABBITMQ": $0] } ?? [:] }

    /// Whether `scripts/rabbitmq-version`, which `make test` calls, has got it: that needs Debian's archive.
    var isHere: Bool {
        guard let name else { return true }
        let program = "\(PrivateServices.root)/.local/rabbitmq-\(name)/usr/lib/rabbitmq/bin/rabbitmq-server"
        return access(program, X_OK) == 0
    }
}

import TestSupport

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

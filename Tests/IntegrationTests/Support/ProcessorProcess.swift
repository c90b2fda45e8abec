import Core
import Glibc
import HTTPClient
import TestSupport

/// A `processor run` under test.
final class ProcessorProcess: Sendable {
    let child: Child
    let names: BrokerNames

    init(names: BrokerNames, environment: [String: String]) throws {
        self.names = names
        child = try Child(TestPrograms.processor(), ["run"], environment: environment)
    }

    var log: String { child.standardError }

    /// Waits for a line of the log with all of these in it.
    func logged(_ parts: String..., within limit: Duration = .seconds(60)) async throws {
        try await eventually("the log said \(parts)", within: limit, context: { child.lastWords }) {
            log.split(separator: "\n").contains { line in parts.allSatisfy { line.contains($0) } }
        }
    }

    /// The admin API, once it is served.
    func admin() async throws -> WebClient { try WebClient(port: await adminPort, isAdmin: true) }

    var adminPort: Int {
        get async throws {
            try await eventually("the admin API was served", context: { child.lastWords }) {
                guard child.isRunning else { throw ChildError("the processor ended at its start\n\(child.lastWords)") }
                let line = log.split(separator: "\n").first { $0.contains("msg=serving ") }
                return line?.split(separator: " ").first { $0.hasPrefix("port=") }.flatMap { Int($0.dropFirst(5)) }
            }
        }
    }

    /// Waits until `/readyz` says this status.
    func answersReady(_ status: Int) async throws {
        let web = try await admin()
        try await eventually("/readyz said \(status)", context: { child.lastWords }) {
            try await web.send(.get, "/readyz").status == status
        }
        await web.shutdown()
    }

    /// Ends it in good order.
    @discardableResult
    func terminate(within limit: Duration = .seconds(60)) async throws -> Child.Exit {
        child.send(SIGTERM)
        return try await child.end(within: limit)
    }
}

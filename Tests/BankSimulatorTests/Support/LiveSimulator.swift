import HTTPTypes
import HummingbirdTesting
import Logging
import NIOCore

@testable import BankSimulator

/// The simulator on a port of its own, and clients that talk to it.
struct LiveSimulator: Sendable {
    let port: Int

    /// Runs `body` against a fresh server, which is gone afterwards. No failures, no latency, keys stored at once,
    /// unless asked for.
    static func run(
        _ change: (inout SimulatorConfiguration) -> Void = { _ in },
        _ body: @escaping @Sendable (LiveSimulator) async throws -> Void
    ) async throws {
        var configuration = SimulatorConfiguration()
        configuration.failureRate = 0
        configuration.latency = 0...0
        configuration.keyStoreDelay = 0...0
        change(&configuration)

        var logger = Logger(label: "test")
        logger.logLevel = .error
        let simulator = Simulator(configuration: configuration)
        let server = SimulatorServer(simulator, host: "127.0.0.1", port: 0, logger: logger)
        let (ports, continuation) = AsyncStream.makeStream(of: Int.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                defer { continuation.finish() }
                try await server.run { continuation.yield($0) }
            }
            for await port in ports {
                let result: Result<Void, any Error>
                do {
                    try await body(LiveSimulator(port: port))
                    result = .success(())
                } catch {
                    result = .failure(error)
                }
                group.cancelAll()
                try? await group.waitForAll()
                try result.get()
                return
            }
            try await group.waitForAll()
        }
    }

    /// One request on a connection of its own.
    func send(
        _ method: HTTPRequest.Method,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil
    ) async throws -> TestClient.Response {
        try await TestClient.withClient(host: "127.0.0.1", port: port) { client in
            try await client.execute(Self.request(method, path, key: key, body))
        }
    }

    static func request(
        _ method: HTTPRequest.Method,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil
    ) -> TestClient.Request {
        var headers = HTTPFields()
        if let key, let name = HTTPField.Name("idempotency-key") { headers[name] = key }
        return TestClient.Request(path, method: method, headers: headers, body: body.map { ByteBuffer(string: $0) })
    }

    static let authorization = #"{"card_number":"4111111111111111","cvv":"123","amount":5000}"#

    static func authorize(key: String) -> TestClient.Request {
        request(.post, "/api/v1/authorizations", key: key, authorization)
    }

    /// An authorization under the key `k`.
    func authorize() async throws -> TestClient.Response {
        try await send(.post, "/api/v1/authorizations", key: "k", Self.authorization)
    }

    /// How many effects there are by now.
    func effects() async throws -> Int {
        let body = try await send(.get, "/ledger").text
        guard case .array(let entries)? = try JSONParser.onlyValue(in: Array(body.utf8)).members?["entries"] else {
            return 0
        }
        return entries.count
    }
}

extension TestClient.Response {
    var text: String { body.map { String(buffer: $0) } ?? "" }

    func header(_ name: String) -> String? {
        HTTPField.Name(name).flatMap { head.headerFields[$0] }
    }
}

import HTTPClient
import Logging
import Testing

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
        _ method: HTTPMethod,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil,
        timeout: Duration = .seconds(30)
    ) async throws -> HTTPResponse {
        let client = try HTTPClient(configuration: HTTPClientConfiguration())
        return try await client.send(request(method, path, key: key, body, timeout: timeout))
    }

    func request(
        _ method: HTTPMethod,
        _ path: String,
        key: String? = nil,
        _ body: String? = nil,
        timeout: Duration = .seconds(30)
    ) -> HTTPRequest {
        HTTPRequest(
            method: method,
            url: "http://127.0.0.1:\(port)\(path)",
            headers: key.map { [HTTPHeader("Idempotency-Key", $0)] } ?? [],
            body: body.map { Array($0.utf8) },
            timeout: timeout
        )
    }

    static let authorization = #"{"card_number":"4111111111111111","cvv":"123","amount":5000}"#

    /// An authorization under the key `k`.
    func authorize(key: String = "k", timeout: Duration = .seconds(30)) async throws -> HTTPResponse {
        try await send(.post, "/api/v1/authorizations", key: key, Self.authorization, timeout: timeout)
    }

    /// How many effects there are by now.
    func effects() async throws -> Int {
        try await list("/ledger", "entries").count
    }

    /// The entries of `GET /requests`, decoded.
    func requests() async throws -> [[String: JSONValue]] {
        try await list("/requests", "requests")
    }

    func fault(_ body: String) async throws {
        #expect(try await send(.post, "/faults", body).status == 201)
    }

    private func list(_ path: String, _ name: String) async throws -> [[String: JSONValue]] {
        let body = try await send(.get, path).body
        guard case .array(let entries)? = try JSONParser.onlyValue(in: body).members?[name] else { return [] }
        return entries.compactMap(\.members)
    }
}

extension HTTPResponse {
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? { headers[name] }
}

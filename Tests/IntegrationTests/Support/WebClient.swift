import Core
import HTTPClient

/// JSON over HTTP, for the admin API and the bank simulator.
struct WebClient: Sendable {
    private let client: HTTPClient
    private let base: String
    private let isAdmin: Bool

    /// - Parameter isAdmin: whether it is the admin API of a processor, whose answers are compared with docs/openapi.yaml.
    init(host: String = "127.0.0.1", port: Int, isAdmin: Bool = false) throws {
        self.isAdmin = isAdmin
        // A bank's ledger after a test with much traffic is long.
        client = try HTTPClient(configuration: HTTPClientConfiguration(maxConnections: 8, maxResponseBytes: 64 << 20))
        base = "http://\(host):\(port)"
    }

    func send(
        _ method: HTTPMethod,
        _ path: String,
        headers: [HTTPHeader] = [],
        body: String? = nil
    ) async throws -> HTTPResponse {
        let isTyped = body == nil && method != .post || headers.contains { $0.name.lowercased() == "content-type" }
        let response = try await client.send(
            HTTPRequest(
                method: method,
                url: base + path,
                headers: isTyped ? headers : headers + [HTTPHeader("Content-Type", "application/json")],
                body: body.map { Array($0.utf8) },
                timeout: .seconds(30)
            )
        )
        if isAdmin { ContractLog.shared.answered(method, path, body, response) }
        return response
    }

    func json(_ path: String) async throws -> JSONValue {
        try JSONParser.parse(await send(.get, path).body)
    }

    func text(_ path: String) async throws -> String {
        String(decoding: try await send(.get, path).body, as: UTF8.self)
    }

    func shutdown() async { await client.shutdown() }
}

extension JSONValue {
    var elements: [JSONValue] {
        guard case .array(let elements) = self else { return [] }
        return elements
    }

    var memberNames: [String] {
        guard case .object(let members) = self else { return [] }
        return members.keys.sorted()
    }
}

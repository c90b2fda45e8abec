import AMQP
import BrokerMapping
import Core
import Foundation
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

/// What went over the wire in these tests, a line of JSON each, where `CONTRACT_LOG` names a file: scripts/check-contract compares
/// it with docs/asyncapi.yaml and docs/openapi.yaml.
struct ContractLog: Sendable {
    static let shared = ContractLog(path: getenv("CONTRACT_LOG").map { String(cString: $0) })

    private let descriptor: Int32?

    private init(path: String?) {
        descriptor = path.flatMap { $0.isEmpty ? nil : open($0, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0o600) }
        precondition(descriptor != -1, "the file of CONTRACT_LOG cannot be written")
    }

    func sent(_ message: AMQPMessage, to exchange: String) {
        write { Self.members(message, ["kind": .string("sent"), "exchange": .string(exchange)]) }
    }

    func received(_ message: AMQPMessage, from queue: String) {
        write { Self.members(message, ["kind": .string("received"), "queue": .string(queue)]) }
    }

    func answered(_ method: HTTPMethod, _ target: String, _ request: String?, _ response: HTTPResponse) {
        write {
            [
                "kind": .string("http"), "method": .string(method.rawValue), "target": .string(target),
                "request": Self.base64(Array((request ?? "").utf8)), "status": .integer(response.status),
                "content_type": .string(response.headers["content-type"] ?? ""), "answer": Self.base64(response.body),
            ]
        }
    }

    /// One call each, so that lines of several tasks do not mix.
    private func write(_ members: () -> [String: JSONValue]) {
        guard let descriptor else { return }
        let line = JSONValue.object(members()).encoded + [UInt8(ascii: "\n")]
        let count = Glibc.write(descriptor, line, line.count)
        precondition(count == line.count, "the file of CONTRACT_LOG cannot be written")
    }

    private static func members(_ message: AMQPMessage, _ others: [String: JSONValue]) -> [String: JSONValue] {
        let properties = message.properties
        let texts: [AMQPProperties.Text: String?] = [
            .contentType: properties.contentType, .contentEncoding: properties.contentEncoding,
            .correlationID: properties.correlationID, .replyTo: properties.replyTo, .expiration: properties.expiration,
            .messageID: properties.messageID, .type: properties.type, .userID: properties.userID,
            .appID: properties.appID,
        ]
        var written: [String: JSONValue] = [:]
        for (name, text) in texts { written[name.rawValue] = text.map(JSONValue.string) }
        for (name, bytes) in properties.undecoded where written[name.rawValue] == nil {
            written[name.rawValue] = .object(["bytes": base64(bytes)])
        }
        written["priority"] = properties.priority.map { .integer($0) }
        written["delivery_mode"] = properties.deliveryMode.map { .integer($0.rawValue) }
        var headers: [String: JSONValue] = [:]
        for (name, value) in properties.headers where headers[name] == nil { headers[name] = json(value) }
        return others.merging([
            "properties": .object(written), "headers": .object(headers), "body": base64(message.body),
        ]) { $1 }
    }

    /// What no rule of the contract takes for anything is an object.
    private static func json(_ value: AMQPValue) -> JSONValue {
        switch HeaderValue(value) {
        case .string(let text): .string(text)
        case .integer(let number): .integer(number)
        case .bool(let flag): .bool(flag)
        case .other: .object(["other": .bool(true)])
        }
    }

    private static func base64(_ bytes: [UInt8]) -> JSONValue { .string(Data(bytes).base64EncodedString()) }
}

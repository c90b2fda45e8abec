import Core
import Foundation
import HTTPClient
import TestSupport

/// The broker's management API: users and their permissions, and what it counts.
struct BrokerAdmin: Sendable {
    private let web: WebClient
    private let authorization: HTTPHeader

    /// - Parameter url: `http://user:password@host:port`.
    init(_ url: String) throws {
        guard let at = url.lastIndex(of: "@"), let start = url.range(of: "://")?.upperBound else {
            throw ChildError("no user in the address of the management API")
        }
        web = try WebClient(port: Int(ServerURL(url).port))
        authorization = HTTPHeader("Authorization", "Basic \(Data(url[start..<at].utf8).base64EncodedString())")
    }

    /// A user of the broker's default virtual host with these permissions, each a regular expression.
    func makeUser(_ name: String, configure: String = ".*", write: String = ".*", read: String = ".*") async throws {
        try await put("/api/users/\(name)", #"{"password":"secret","tags":""}"#)
        try await permit(name, configure: configure, write: write, read: read)
    }

    func permit(_ name: String, configure: String = ".*", write: String = ".*", read: String = ".*") async throws {
        let body = JSONValue.object([
            "configure": .string(configure), "write": .string(write), "read": .string(read),
        ])
        try await put("/api/permissions/%2F/\(name)", String(decoding: body.encoded, as: UTF8.self))
    }

    /// - Parameter pattern: a regular expression of queue names.
    func setPolicy(_ name: String, on pattern: String, _ definition: String) async throws {
        let body = JSONValue.object([
            "pattern": .string(pattern), "apply-to": .string("queues"),
            "definition": try JSONParser.parse(Array(definition.utf8)),
        ])
        try await put("/api/policies/%2F/\(name)", String(decoding: body.encoded, as: UTF8.self))
    }

    func removePolicy(_ name: String) async throws {
        _ = try await web.send(.delete, "/api/policies/%2F/\(name)", headers: [authorization])
    }

    /// How many channels have been closed since the broker started, by whomever.
    func closedChannels() async throws -> Int {
        let response = try await web.send(.get, "/api/overview", headers: [authorization])
        return Int(try JSONParser.parse(response.body)["churn_rates"]?["channel_closed"]?.integer ?? 0)
    }

    func shutdown() async { await web.shutdown() }

    private func put(_ path: String, _ body: String) async throws {
        let headers = [authorization, HTTPHeader("Content-Type", "application/json")]
        let response = try await web.send(.put, path, headers: headers, body: body)
        guard (200..<300).contains(response.status) else { throw ChildError("PUT \(path): \(response.status)") }
    }
}

extension ServerURL {
    /// The address with other credentials.
    func asUser(_ name: String, password: String = "secret") -> String {
        guard let at = text.lastIndex(of: "@"), let start = text.range(of: "://")?.upperBound else { return text }
        return "\(text[..<start])\(name):\(password)\(text[at...])"
    }
}

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

/// The address of a server, `scheme://user:password@host:port/path?query`, as `make up` writes it.
struct ServerURL {
    let text: String

    init(_ text: String) {
        self.text = text
    }

    /// The digits behind the last colon.
    var port: UInt16 { portRange.flatMap { UInt16(text[$0]) } ?? 0 }

    /// The same server by way of a proxy.
    func through(_ proxy: TCPProxy) -> String {
        guard let range = portRange else { return text }
        return "\(text[..<range.lowerBound])\(proxy.port)\(text[range.upperBound...])"
    }

    /// The same server by way of one proxy or another, each a host of the list.
    func through(_ first: TCPProxy, _ second: TCPProxy) -> String { hosts([first.port, second.port]) }

    /// The same address with these ports of this machine, each a host of the list.
    func hosts(_ ports: [UInt16]) -> String {
        guard let range = portRange else { return text }
        let list = ports.map { "\($0)" }.joined(separator: ",127.0.0.1:")
        return "\(text[..<range.lowerBound])\(list)\(text[range.upperBound...])"
    }

    /// The same server with another path.
    func database(_ name: String) -> String {
        let query = text.firstIndex(of: "?") ?? text.endIndex
        let slash = text[..<query].lastIndex(of: "/") ?? query
        return "\(text[..<slash])/\(name)\(text[query...])"
    }

    private var portRange: Range<String.Index>? {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let start = text.index(after: colon)
        return start..<(text[start...].firstIndex { !$0.isNumber } ?? text.endIndex)
    }
}

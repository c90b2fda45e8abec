import Foundation
import Glibc
import Testing

/// One request on a connection of its own, to this machine.
enum PlainHTTP {
    struct Answer: Sendable {
        let status: Int
        /// By name, in lower case.
        let headers: [String: String]
        let body: String
    }

    static func get(_ uri: String, port: Int, authorization: String? = nil) async throws -> Answer {
        try await send("GET", uri, port: port, headers: authorization.map { ["Authorization": $0] } ?? [:])
    }

    static func send(
        _ method: String,
        _ uri: String,
        port: Int,
        headers: [String: String] = [:],
        body: String = ""
    ) async throws -> Answer {
        var headers = headers
        if method == "POST", headers["Content-Type"] == nil { headers["Content-Type"] = "application/json" }
        if headers["Host"] == nil { headers["Host"] = "localhost:\(port)" }
        var lines = ["\(method) \(uri) HTTP/1.1", "Connection: close"]
        lines += headers.map { "\($0.key): \($0.value)" }
        if !body.isEmpty { lines.append("Content-Length: \(body.utf8.count)") }
        let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + body).utf8)
        return try answer(String(decoding: try await received(after: request, port: port), as: UTF8.self))
    }

    /// Sends it, and reads until the server closes the connection.
    static func received(after sent: String, port: Int) async throws -> [UInt8] {
        try await received(after: Array(sent.utf8), port: port)
    }

    private static func received(after sent: [UInt8], port: Int) async throws -> [UInt8] {
        let connection = try Connection(port: port)
        defer { connection.close() }
        try connection.send(sent)
        return await connection.receiveAll()
    }

    static func answer(_ text: String) throws -> Answer {
        let end = try #require(text.firstRange(of: "\r\n\r\n"))
        let head = text[..<end.lowerBound].split(separator: "\r\n")
        let status = try #require(head.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        var headers: [String: String] = [:]
        for line in head.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            headers[parts[0].lowercased()] = parts.count == 2 ? String(parts[1].drop { $0 == " " }) : ""
        }
        return Answer(status: status, headers: headers, body: String(text[end.upperBound...]))
    }
}

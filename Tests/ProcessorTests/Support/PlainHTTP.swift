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

extension PlainHTTP {
    /// One connection to this machine, for what a client may do between the bytes that it sends.
    final class Connection: Sendable {
        private let descriptor: Int32

        init(port: Int) throws {
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            try #require(descriptor >= 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = in_port_t(port).bigEndian
            address.sin_addr.s_addr = in_addr_t(0x7f00_0001).bigEndian
            let size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, size) }
            }
            try #require(connected == 0)
        }

        deinit {
            Glibc.close(descriptor)
        }

        /// Says that nothing more comes, and wants nothing more.
        func close() {
            shutdown(descriptor, Int32(SHUT_RDWR))
        }

        func send(_ text: String) throws {
            try send(Array(text.utf8))
        }

        func send(_ bytes: [UInt8]) throws {
            try #require(Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count)
        }

        /// Whether something can be read in that many milliseconds.
        func hasBytes(within milliseconds: Int32) async -> Bool {
            await onThread {
                var poll = pollfd(fd: self.descriptor, events: Int16(POLLIN), revents: 0)
                return Glibc.poll(&poll, 1, milliseconds) > 0
            }
        }

        /// What comes next; nothing when the server has closed it.
        func receive() async -> [UInt8] {
            await onThread { self.chunk() }
        }

        /// What comes until the server closes it.
        func receiveAll() async -> [UInt8] {
            await onThread {
                var bytes: [UInt8] = []
                while true {
                    let chunk = self.chunk()
                    guard !chunk.isEmpty else { return bytes }
                    bytes += chunk
                }
            }
        }

        private func chunk() -> [UInt8] {
            var chunk = [UInt8](repeating: 0, count: 65_536)
            let count = recv(descriptor, &chunk, chunk.count, 0)
            return Array(chunk.prefix(max(count, 0)))
        }

        /// On a thread of its own: the server needs those of the pool to answer.
        private func onThread<Value: Sendable>(_ work: @escaping @Sendable () -> Value) async -> Value {
            await withCheckedContinuation { continuation in
                Thread.detachNewThread { continuation.resume(returning: work()) }
            }
        }
    }
}

import Foundation
import Glibc
import Synchronization

/// A server of raw sockets on a free port of the loopback, which does with each connection what a test tells it. Each
/// connection has a thread.
final class RawServer: Sendable {
    /// What one connection does, from accept to close. `RawConnection.index` counts from 0.
    typealias Behaviour = @Sendable (RawConnection) -> Void

    let port: UInt16
    private let listener: Int32
    private let log = Mutex(Log())

    private struct Log {
        var connections: [RawConnection] = []
        var requests: [RawRequest] = []
        var marks = 0
    }

    /// - Parameters:
    ///   - backlog: of `listen`.
    ///   - behaviour: `nil` leaves every connection in the backlog.
    /// - Throws: `POSIXError`.
    init(backlog: Int32 = 512, _ behaviour: Behaviour?) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        port = try listener.bindToLoopback()
        try listener.check(listen(listener, backlog))
        if let behaviour {
            Thread.detachNewThread { [listener] in
                while case let descriptor = accept(listener, nil, nil), descriptor >= 0 {
                    let connection = self.add(descriptor)
                    Thread.detachNewThread {
                        // The connection does not keep the server, and a test may be over before its last connection.
                        withExtendedLifetime(self) { behaviour(connection) }
                        connection.close()
                    }
                }
            }
        }
    }

    func url(_ path: String = "/") -> String { "http://127.0.0.1:\(port)\(path)" }

    /// Ends the accepting and every connection.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        for connection in log.withLock(\.connections) { connection.end() }
    }

    var acceptedConnections: Int { log.withLock { $0.connections.count } }
    var requests: [RawRequest] { log.withLock { $0.requests } }
    var marks: Int { log.withLock { $0.marks } }

    /// How many times the text came in, over all connections, whole requests or not.
    func count(of text: String) -> Int {
        log.withLock(\.connections).map { connection in
            String(decoding: connection.received, as: UTF8.self).components(separatedBy: text).count - 1
        }.reduce(0, +)
    }

    func record(_ request: RawRequest) {
        log.withLock { $0.requests.append(request) }
    }

    /// Lets a behaviour tell the test how far it got.
    func mark() {
        log.withLock { $0.marks += 1 }
    }

    private func add(_ descriptor: Int32) -> RawConnection {
        log.withLock { log in
            let connection = RawConnection(descriptor: descriptor, index: log.connections.count, server: self)
            log.connections.append(connection)
            return connection
        }
    }
}

extension Int32 {
    /// Binds the socket to a free port and returns it.
    fileprivate func bindToLoopback() throws -> UInt16 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                try check(bind(self, pointer, length))
                try check(getsockname(self, pointer, &length))
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    fileprivate func check(_ result: Int32) throws {
        if result < 0 { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
    }
}

/// The server's end of one connection.
final class RawConnection: Sendable {
    fileprivate struct State {
        var received: [UInt8] = []
        var consumed = 0
        var isOpen = true
    }

    let index: Int
    unowned let server: RawServer
    private let descriptor: Int32
    private let state = Mutex(State())

    init(descriptor: Int32, index: Int, server: RawServer) {
        self.descriptor = descriptor
        self.index = index
        self.server = server
    }

    /// Every byte read so far.
    var received: [UInt8] { state.withLock { $0.received } }

    /// Reads one whole request and records it; `nil` when the client ends the connection before.
    @discardableResult
    func readRequest() -> RawRequest? {
        while true {
            if let request = state.withLock({ $0.takeRequest() }) {
                server.record(request)
                return request
            }
            guard readSome() else { return nil }
        }
    }

    /// Reads what comes; false at the end of the connection.
    @discardableResult
    func readSome() -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return false }
        state.withLock { $0.received += buffer[..<count] }
        return true
    }

    /// Waits for the first byte without reading it.
    func waitForBytes() {
        var descriptor = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, 10_000)
    }

    /// Whether the client has sent nothing more, nor ended the connection.
    var isQuiet: Bool {
        var byte: UInt8 = 0
        return recv(descriptor, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT)) < 0 && errno == EAGAIN
    }

    /// Reads until the client ends the connection.
    func readToEnd() {
        while readSome() {}
    }

    func send(_ text: String) {
        send(Array(text.utf8))
    }

    func send(_ bytes: [UInt8]) {
        var bytes = bytes[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            guard count > 0 else { return }
            bytes = bytes.dropFirst(count)
        }
    }

    func answer(_ body: String = "ok", status: String = "200 OK", headers: String = "") {
        send("HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)")
    }

    /// Ends it the orderly way; what was not read makes it a reset.
    func close() {
        state.withLock { state in
            guard state.isOpen else { return }
            state.isOpen = false
            Glibc.close(descriptor)
        }
    }

    /// Ends it with a reset.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }

    /// Makes every read and write of the behaviour's thread end.
    func end() {
        state.withLock { state in
            if state.isOpen { shutdown(descriptor, Int32(SHUT_RDWR)) }
        }
    }
}

extension RawConnection.State {
    fileprivate mutating func takeRequest() -> RawRequest? {
        let unread = received[consumed...]
        guard let end = unread.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let lines = String(decoding: unread[..<end.lowerBound], as: UTF8.self).split(separator: "\r\n").map(String.init)
        let head = RawRequest(line: lines.first ?? "", headers: Array(lines.dropFirst()), body: [])
        let length = head.values("Content-Length").first.flatMap { Int($0) } ?? 0
        guard unread.endIndex - end.upperBound >= length else { return nil }
        consumed = end.upperBound + length
        return RawRequest(line: head.line, headers: head.headers, body: Array(received[end.upperBound..<consumed]))
    }
}

/// A request as the server read it.
struct RawRequest: Sendable {
    let line: String
    let headers: [String]
    let body: [UInt8]

    /// The values of a field, whatever the case of its name.
    func values(_ name: String) -> [String] {
        headers.compactMap { header in
            let parts = header.split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
            return parts.first?.lowercased() == name.lowercased() ? parts.dropFirst().joined() : nil
        }
    }
}

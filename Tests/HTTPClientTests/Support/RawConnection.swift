import Glibc
import Synchronization

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

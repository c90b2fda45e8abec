import Glibc

/// A connection to the simulator, byte by byte: for what no HTTP client does or shows.
final class RawClient {
    private let descriptor: Int32
    private var isOpen = true
    private var bytes: [UInt8] = []

    struct Failed: Error {
        let errno: Int32
    }

    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let result = withUnsafePointer(to: address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else { throw Failed(errno: errno) }
    }

    deinit { close() }

    /// A POST under a key, on a connection that is kept.
    func post(_ path: String, key: String, _ body: String) throws {
        try send(
            "POST \(path) HTTP/1.1\r\nHost: bank\r\nIdempotency-Key: \(key)\r\nContent-Length: \(body.utf8.count)"
                + "\r\n\r\n" + body
        )
    }

    func send(_ text: String) throws {
        let bytes = Array(text.utf8)
        let count = Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        guard count == bytes.count else { throw Failed(errno: errno) }
    }

    /// What has been received so far, and whether the server has closed the connection. Does not wait.
    func receive() throws -> (text: String, isAtEnd: Bool) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            if count > 0 {
                bytes += buffer[..<count]
            } else if count < 0, errno == EAGAIN {
                return (text, false)
            } else if count == 0 {
                return (text, true)
            } else {
                throw Failed(errno: errno)
            }
        }
    }

    private var text: String { String(decoding: bytes, as: UTF8.self) }

    /// Ends only this side's half: the server reads an end, and could still answer.
    func closeHalf() {
        _ = shutdown(descriptor, Int32(SHUT_WR))
    }

    /// The orderly end of both halves.
    func close() {
        guard isOpen else { return }
        isOpen = false
        _ = Glibc.close(descriptor)
    }

    /// A reset instead of an orderly end.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        _ = setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        close()
    }
}

import Glibc
import Synchronization
import TestSupport

/// A server of one connection that does nothing by itself, so that a test sees at any moment what its client has done.
final class BankSocket: Sendable {
    fileprivate struct State {
        var connection: Int32?
        var received: [UInt8] = []
        var isEnded = false
    }

    private let listener: ListeningSocket
    private let state = Mutex(State())

    init() throws {
        listener = try ListeningSocket(port: 0)
    }

    deinit {
        close()
        Glibc.close(listener.descriptor)
    }

    var url: String { "http://127.0.0.1:\(listener.port)/" }

    /// Whether a whole request, with a body of one byte, has come in.
    func hasRequest() -> Bool {
        state.withLock { state in
            if state.connection == nil {
                let descriptor = accept(listener.descriptor, nil, nil)
                if descriptor >= 0 { state.connection = descriptor }
            }
            state.read()
            return state.received.suffix(5) == Array("\r\n\r\nx".utf8)[...]
        }
    }

    /// Whether the client has ended the connection, in good order or not. On loopback the kernel tells as it happens.
    func isEnded() -> Bool {
        state.withLock { state in
            state.read()
            return state.isEnded
        }
    }

    func answer(_ status: String = "200 OK") {
        let bytes = Array("HTTP/1.1 \(status)\r\nContent-Length: 2\r\n\r\nok".utf8)
        state.withLock { state in
            guard let connection = state.connection else { return }
            _ = send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL))
        }
    }

    func close() {
        state.withLock { state in
            if let connection = state.connection { Glibc.close(connection) }
            state.connection = nil
        }
    }
}

extension BankSocket.State {
    fileprivate mutating func read() {
        guard let connection else { return }
        var buffer = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(connection, &buffer, buffer.count, Int32(MSG_DONTWAIT))
            guard count > 0 else {
                isEnded = isEnded || count == 0 || errno != EAGAIN
                return
            }
            received += buffer[..<count]
        }
    }
}

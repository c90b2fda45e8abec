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

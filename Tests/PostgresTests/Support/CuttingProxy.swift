import Glibc
import Synchronization

/// A TCP proxy in front of the server that can cut a conversation at a chosen point. One thread for all of it.
final class CuttingProxy: Sendable {
    enum Mode: Sendable {
        case forward
        /// The next bytes of the client never reach the server; both ends are closed.
        case cutNextRequest
        /// The next bytes of the client reach the server; its answer is dropped, and both ends are closed.
        case cutNextAnswer
        /// Everything is taken, by the kernel, and nothing is passed on: as with a server that hangs.
        case silent
        /// New connections are refused, the present ones closed.
        case down
    }

    private let mode = Mutex(Mode.forward)
    let port: UInt16

    init(to target: UInt16) throws {
        let listener = try LoopbackListener()
        port = listener.port
        // The thread owns the listener; it opens a new one on the same port after it has been down.
        let start = Start(proxy: Weak(self), listener: listener, target: target)
        var thread = pthread_t()
        let context = Unmanaged.passRetained(start)
        let result = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Start>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard result == 0 else {
            context.release()
            throw LoopbackListener.Failure(errno: result)
        }
        pthread_detach(thread)
    }

    func set(_ mode: Mode) {
        self.mode.withLock { $0 = mode }
    }

    fileprivate func currentMode() -> Mode { mode.withLock { $0 } }
}

private struct Weak: Sendable {
    weak let proxy: CuttingProxy?

    init(_ proxy: CuttingProxy) {
        self.proxy = proxy
    }
}

/// The two sockets of one conversation.
private struct Pair {
    let client: Int32
    let server: Int32

    func close() {
        Glibc.close(client)
        Glibc.close(server)
    }
}

private final class Start {
    private let proxy: Weak
    private var listener: LoopbackListener?
    private let port: UInt16
    private let target: UInt16
    private var pairs: [Pair] = []

    init(proxy: Weak, listener: LoopbackListener, target: UInt16) {
        self.proxy = proxy
        self.listener = listener
        port = listener.port
        self.target = target
    }

    /// Ends with the proxy.
    func run() {
        while let mode = proxy.proxy?.currentMode() {
            if case .silent = mode {
                _ = poll(nil, 0, 2)
                continue
            }
            if case .down = mode {
                closeAll()
                listener = nil
            } else if listener == nil {
                listener = try? LoopbackListener(port: port)
            }
            turn()
        }
        closeAll()
    }

    private func turn() {
        var descriptors = pairs.flatMap { pair in
            [
                pollfd(fd: pair.client, events: Int16(POLLIN), revents: 0),
                pollfd(fd: pair.server, events: Int16(POLLIN), revents: 0),
            ]
        }
        descriptors.append(pollfd(fd: listener?.descriptor ?? -1, events: Int16(POLLIN), revents: 0))
        guard poll(&descriptors, nfds_t(descriptors.count), 2) > 0 else { return }
        var left: [Pair] = []
        for (index, pair) in pairs.enumerated() {
            let isOpen =
                (descriptors[index * 2].revents == 0 || pump(pair, isRequest: true))
                && (descriptors[index * 2 + 1].revents == 0 || pump(pair, isRequest: false))
            if isOpen { left.append(pair) } else { pair.close() }
        }
        pairs = left
        if descriptors.last?.revents != 0, let listener {
            let client = accept(listener.descriptor, nil, nil)
            if let server = LoopbackListener.connect(port: target) {
                pairs.append(Pair(client: client, server: server))
            } else {
                close(client)
            }
        }
    }

    private func pump(_ pair: Pair, isRequest: Bool) -> Bool {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        let count = read(isRequest ? pair.client : pair.server, &buffer, buffer.count)
        guard count > 0 else { return false }
        switch proxy.proxy?.currentMode() {
        case .forward, .silent: break
        case .cutNextRequest: if isRequest { return false }
        case .cutNextAnswer: if !isRequest { return false }
        case .down, nil: return false
        }
        return send(isRequest ? pair.server : pair.client, buffer, count, Int32(MSG_NOSIGNAL)) == count
    }

    private func closeAll() {
        for pair in pairs { pair.close() }
        pairs = []
    }
}

/// A listening socket on 127.0.0.1. Nobody need accept: the kernel completes the handshake, and the client waits.
final class LoopbackListener: Sendable {
    struct Failure: Error {
        let errno: Int32
    }

    let descriptor: Int32
    let port: UInt16

    /// `port` is 0 for one that is free.
    init(port: UInt16 = 0) throws {
        descriptor = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw Failure(errno: errno) }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        var address = Self.address(port: port)
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = descriptor
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                bind(socket, pointer, length) == 0 && listen(socket, 64) == 0
                    && getsockname(socket, pointer, &length) == 0
            }
        }
        guard isListening else {
            let failure = Failure(errno: errno)
            Glibc.close(descriptor)
            throw failure
        }
        self.port = UInt16(bigEndian: address.sin_port)
    }

    deinit {
        Glibc.close(descriptor)
    }

    static func connect(port: UInt16) -> Int32? {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = address(port: port)
        let result = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                Glibc.connect(socket, pointer, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard result == 0 else {
            Glibc.close(socket)
            return nil
        }
        return socket
    }

    private static func address(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return address
    }
}

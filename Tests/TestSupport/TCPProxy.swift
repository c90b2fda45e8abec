import Glibc
import Synchronization

/// A TCP proxy on a loopback port of its own, for tests that need a bad network: it can cut connections, refuse new ones,
/// go deaf in either direction, and put words into the server's mouth.
package final class TCPProxy: Sendable {
    package enum Direction: Sendable {
        case toServer
        case toClient
    }

    struct Commands {
        var cut = false
        var isRefusing = false
        var stalled: Set<Direction> = []
        var injected: [UInt8] = []
        var isStopping = false
    }

    /// Where clients connect.
    package let port: UInt16
    private let commands = Mutex(Commands())
    private let open = Atomic<Int>(0)
    private let wakeEnd: Int32

    /// Starts the proxy's thread.
    package init(toPort serverPort: UInt16) throws {
        let listener = try ListeningSocket(port: 0)
        port = listener.port
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw ProxyError(errno: errno) }
        for end in ends { _ = fcntl(end, F_SETFL, O_NONBLOCK) }
        wakeEnd = ends[1]
        let loop = ProxyLoop(listener: listener, serverPort: serverPort, wakeEnd: ends[0])
        try Self.startThread { [weak self] in
            var loop = loop
            while loop.turn(
                takeCommands: { self?.takeCommands() },
                report: { self?.open.store($0, ordering: .relaxed) }
            ) {}
            loop.closeAll()
        }
    }

    deinit {
        stop()
        close(wakeEnd)
    }

    /// Connections that are being forwarded now.
    package var connectionCount: Int { open.load(ordering: .relaxed) }

    /// Breaks every connection there is; new ones are welcome.
    package func cutConnections() {
        command { $0.cut = true }
    }

    /// Closes the port, or opens it again. Existing connections stay.
    package func setRefusing(_ isRefusing: Bool) {
        command { $0.isRefusing = isRefusing }
    }

    /// Keeps what is sent in this direction from arriving, or lets it go on. Nothing is lost, it is late.
    package func setStalled(_ direction: Direction, _ isStalled: Bool) {
        command { commands in
            if isStalled { commands.stalled.insert(direction) } else { commands.stalled.remove(direction) }
        }
    }

    /// Sends bytes to every client as though they came from the server.
    package func injectToClients(_ bytes: [UInt8]) {
        command { $0.injected += bytes }
    }

    /// Breaks every connection, closes the port and ends the thread.
    package func stop() {
        command { $0.isStopping = true }
    }

    private func command(_ change: (inout Commands) -> Void) {
        commands.withLock { change(&$0) }
        var byte: UInt8 = 0
        _ = write(wakeEnd, &byte, 1)
    }

    private func takeCommands() -> Commands {
        commands.withLock { commands in
            defer {
                commands.cut = false
                commands.injected = []
            }
            return commands
        }
    }

    private static func startThread(_ body: @escaping @Sendable () -> Void) throws {
        final class Start: Sendable {
            let body: @Sendable () -> Void
            init(_ body: @escaping @Sendable () -> Void) { self.body = body }
        }
        let start = Unmanaged.passRetained(Start(body))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                if let context { Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body() }
                return nil
            },
            start.toOpaque()
        )
        guard result == 0 else {
            start.release()
            throw ProxyError(errno: result)
        }
        pthread_detach(thread)
    }
}

/// A call of the operating system that the proxy needs has failed.
package struct ProxyError: Error {
    package let errno: Int32
}

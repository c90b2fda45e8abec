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

/// What the proxy's thread does. Sockets never block; each direction of a connection holds at most one chunk.
struct ProxyLoop {
    private struct Pipe {
        let from: Int32
        let to: Int32
        let direction: TCPProxy.Direction
        var chunk: [UInt8] = []
    }

    private struct Connection {
        var pipes: [Pipe]
        var isBroken = false
    }

    private var listener: ListeningSocket?
    private let port: UInt16
    private let serverPort: UInt16
    private let wakeEnd: Int32
    private var connections: [Connection] = []

    init(listener: ListeningSocket, serverPort: UInt16, wakeEnd: Int32) {
        self.listener = listener
        port = listener.port
        self.serverPort = serverPort
        self.wakeEnd = wakeEnd
    }

    /// - Returns: false when the proxy has been stopped or dropped.
    mutating func turn(takeCommands: () -> TCPProxy.Commands?, report: (Int) -> Void) -> Bool {
        guard let commands = takeCommands(), !commands.isStopping else { return false }
        listen(!commands.isRefusing)
        if commands.cut { breakAll() }
        if !commands.injected.isEmpty { inject(commands.injected) }
        waitForSomething(stalled: commands.stalled)
        accept()
        forward(stalled: commands.stalled)
        dropBroken()
        report(connections.count)
        return true
    }

    mutating func closeAll() {
        listen(false)
        breakAll()
        close(wakeEnd)
    }

    private mutating func listen(_ shouldListen: Bool) {
        if !shouldListen, let socket = listener {
            close(socket.descriptor)
            listener = nil
        } else if shouldListen, listener == nil {
            listener = try? ListeningSocket(port: port)
        }
    }

    private func waitForSomething(stalled: Set<TCPProxy.Direction>) {
        var descriptors = [pollfd(fd: wakeEnd, events: Int16(POLLIN), revents: 0)]
        if let listener { descriptors.append(pollfd(fd: listener.descriptor, events: Int16(POLLIN), revents: 0)) }
        for pipe in connections.flatMap(\.pipes) where !stalled.contains(pipe.direction) {
            descriptors.append(
                pipe.chunk.isEmpty
                    ? pollfd(fd: pipe.from, events: Int16(POLLIN), revents: 0)
                    : pollfd(fd: pipe.to, events: Int16(POLLOUT), revents: 0)
            )
        }
        // A port that could not be opened again is tried again.
        _ = poll(&descriptors, nfds_t(descriptors.count), listener == nil ? 50 : -1)
        var bytes = [UInt8](repeating: 0, count: 64)
        while read(wakeEnd, &bytes, bytes.count) > 0 {}
    }

    private mutating func accept() {
        guard let listener else { return }
        while true {
            let client = Glibc.accept(listener.descriptor, nil, nil)
            guard client >= 0 else { return }
            let server = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in.loopback(port: serverPort)
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
                    connect(server, pointer, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            guard isConnected else {
                close(client)
                close(server)
                continue
            }
            for end in [client, server] {
                var yes: Int32 = 1
                _ = setsockopt(end, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
                _ = fcntl(end, F_SETFL, O_NONBLOCK)
            }
            let pipes = [
                Pipe(from: client, to: server, direction: .toServer),
                Pipe(from: server, to: client, direction: .toClient),
            ]
            connections.append(Connection(pipes: pipes))
        }
    }

    private mutating func forward(stalled: Set<TCPProxy.Direction>) {
        for index in connections.indices {
            for side in connections[index].pipes.indices {
                guard !stalled.contains(connections[index].pipes[side].direction) else { continue }
                if !Self.forward(&connections[index].pipes[side]) { connections[index].isBroken = true }
            }
        }
    }

    /// - Returns: false when the connection is over.
    private static func forward(_ pipe: inout Pipe) -> Bool {
        if pipe.chunk.isEmpty {
            var buffer = [UInt8](repeating: 0, count: 65_536)
            let count = read(pipe.from, &buffer, buffer.count)
            guard count > 0 else { return count < 0 && errno == EAGAIN }
            pipe.chunk = Array(buffer.prefix(count))
        }
        let count = send(pipe.to, pipe.chunk, pipe.chunk.count, Int32(MSG_NOSIGNAL))
        guard count >= 0 else { return errno == EAGAIN }
        pipe.chunk.removeFirst(count)
        return true
    }

    private mutating func inject(_ bytes: [UInt8]) {
        for index in connections.indices {
            for side in connections[index].pipes.indices where connections[index].pipes[side].direction == .toClient {
                connections[index].pipes[side].chunk += bytes
            }
        }
    }

    private mutating func breakAll() {
        for index in connections.indices { connections[index].isBroken = true }
        dropBroken()
    }

    private mutating func dropBroken() {
        for connection in connections where connection.isBroken {
            for pipe in connection.pipes { close(pipe.from) }
        }
        connections.removeAll(where: \.isBroken)
    }
}

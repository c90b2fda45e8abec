import CCurl
import Glibc
import Synchronization

/// Which socket stands behind which local port, so that a connection can be looked at before it is used again.
///
/// libcurl takes an idle connection with unread bytes in it for a good one. Those bytes are no answer to the request about
/// to be sent (they are a late 408, or a second answer to an earlier request), and would be taken for one.
///
/// An entry is overwritten when its port is used again, so no entry of a closed connection is ever asked for; there
/// are at most as many as ports.
///
/// It also calls the hooks. libcurl holds its address for as long as there are connections.
final class ConnectionRegister {
    private static let lastID = Atomic<UInt64>(0)

    let hooks: ConnectionHooks?
    private var socketByLocalPort: [Int32: Int32] = [:]
    private var idBySocket: [Int32: UInt64] = [:]

    init(hooks: ConnectionHooks?) {
        self.hooks = hooks
    }

    /// Takes note of a new connection that is about to carry its first request.
    func register(_ socket: Int32, localPort: Int32) {
        socketByLocalPort[localPort] = socket
        guard let hooks else { return }
        let id = Self.lastID.add(1, ordering: .relaxed).newValue
        idBySocket[socket] = id
        hooks.opened(socket, id)
    }

    /// A request is about to be written.
    ///
    /// - Returns: what to call `answered` with.
    func request(_ tag: [UInt8], localPort: Int32) -> UInt64? {
        guard let hooks, let id = socketByLocalPort[localPort].flatMap({ idBySocket[$0] }) else { return nil }
        hooks.requesting(id, tag)
        return id
    }

    func answered(_ id: UInt64) { hooks?.answered(id) }

    /// Closes a socket for libcurl, where there are hooks. One that never carried a request has no id.
    func close(_ socket: Int32) -> Int32 {
        // A descriptor that is open elsewhere too would otherwise keep the connection open.
        shutdown(socket, Int32(SHUT_RDWR))
        let result = Glibc.close(socket)
        if let id = idBySocket.removeValue(forKey: socket) { hooks?.closing(id) }
        return result
    }

    /// Whether the connection holds bytes, or an end, that came while nobody was waiting for an answer.
    func isDirty(localPort: Int32) -> Bool {
        guard let socket = socketByLocalPort[localPort] else { return true }
        var byte: UInt8 = 0
        let result = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
        return result >= 0 || (errno != EAGAIN && errno != EINTR)
    }

    /// The local port of a socket, as the kernel tells it.
    static func localPort(of socket: Int32) -> Int32? {
        var address = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let result = withUnsafeMutableBytes(of: &address) { bytes in
            getsockname(socket, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        guard result == 0 else { return nil }
        // The port stands at the same place in an address of IPv4 and of IPv6.
        return withUnsafeBytes(of: &address) { bytes in
            Int32(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)))
        }
    }
}

/// The epoll descriptor: readable when one of libcurl's sockets is ready.
final class EventPoll: Sendable {
    private static let eventsPerWait = 128

    let descriptor: Int32

    init() throws(HTTPError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw HTTPError(.outOfResources, outcomeUnknown: false) }
    }

    deinit {
        close(descriptor)
    }

    /// Follows libcurl's wish for one of its sockets (`CURL_POLL_…`). `isNew` is false for one that is watched already.
    func watch(_ socket: Int32, for wish: Int32, isNew: Bool) {
        guard wish != CURL_POLL_REMOVE else { return control(EPOLL_CTL_DEL, socket, interest: 0) }
        var interest: UInt32 = 0
        if wish & CURL_POLL_IN != 0 { interest |= EPOLLIN.rawValue }
        if wish & CURL_POLL_OUT != 0 { interest |= EPOLLOUT.rawValue }
        control(isNew ? EPOLL_CTL_ADD : EPOLL_CTL_MOD, socket, interest: interest)
    }

    /// Tells which sockets are ready, without waiting.
    func readySockets() -> [ReadySocket] {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerWait) { buffer in
            let count = epoll_wait(descriptor, buffer.baseAddress, Int32(buffer.count), 0)
            return buffer.prefix(Int(max(count, 0))).map(ReadySocket.init)
        }
    }

    /// A failure has no one to tell: it leaves a socket unwatched, and the transfer's timeout ends it.
    private func control(_ operation: Int32, _ socket: Int32, interest: UInt32) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = socket
        _ = epoll_ctl(descriptor, operation, socket, &event)
    }
}

/// A socket that can be read or written, and which of it, in libcurl's terms (`CURL_CSELECT_…`).
struct ReadySocket: Sendable {
    let socket: Int32
    let readiness: Int32

    fileprivate init(_ event: epoll_event) {
        socket = event.data.fd
        var readiness: Int32 = 0
        // An ended connection counts as readable: the read tells how it ended.
        if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 { readiness |= CURL_CSELECT_IN }
        if event.events & EPOLLOUT.rawValue != 0 { readiness |= CURL_CSELECT_OUT }
        if event.events & EPOLLERR.rawValue != 0 { readiness |= CURL_CSELECT_ERR }
        self.readiness = readiness
    }
}

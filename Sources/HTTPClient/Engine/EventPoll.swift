import CCurl
import Glibc

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

import CCurl
import Glibc

/// The epoll descriptor: libcurl's sockets and the descriptor that wakes the thread.
final class EventPoll: Sendable {
    private static let eventsPerWait = 128

    /// Stands in for the wake descriptor among the events: it is none of libcurl's.
    fileprivate static let wakeTag: Int32 = -1

    private let descriptor: Int32

    init(wakeDescriptor: Int32) throws(HTTPError) {
        descriptor = epoll_create1(Int32(EPOLL_CLOEXEC))
        guard descriptor >= 0 else { throw HTTPError(.outOfResources, outcomeUnknown: false) }
        control(EPOLL_CTL_ADD, wakeDescriptor, interest: EPOLLIN.rawValue, tag: Self.wakeTag)
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

    /// Blocks until a descriptor is ready or the time is over (-1: no limit), and tells which sockets are ready.
    func wait(milliseconds: Int32) -> [ReadySocket] {
        withUnsafeTemporaryAllocation(of: epoll_event.self, capacity: Self.eventsPerWait) { buffer in
            let count = epoll_wait(descriptor, buffer.baseAddress, Int32(buffer.count), milliseconds)
            return buffer.prefix(Int(max(count, 0))).compactMap(ReadySocket.init)
        }
    }

    /// A failure has no one to tell: it leaves a socket unwatched, and the transfer's timeout ends it.
    private func control(_ operation: Int32, _ socket: Int32, interest: UInt32, tag: Int32? = nil) {
        var event = epoll_event()
        event.events = interest
        event.data.fd = tag ?? socket
        _ = epoll_ctl(descriptor, operation, socket, &event)
    }
}

/// A socket that can be read or written, and which of it, in libcurl's terms (`CURL_CSELECT_…`).
struct ReadySocket: Sendable {
    let socket: Int32
    let readiness: Int32

    /// `nil` for the wake-up, which has done its work.
    fileprivate init?(_ event: epoll_event) {
        guard event.data.fd != EventPoll.wakeTag else { return nil }
        socket = event.data.fd
        var readiness: Int32 = 0
        // An ended connection counts as readable: the read tells how it ended.
        if event.events & (EPOLLIN.rawValue | EPOLLHUP.rawValue) != 0 { readiness |= CURL_CSELECT_IN }
        if event.events & EPOLLOUT.rawValue != 0 { readiness |= CURL_CSELECT_OUT }
        if event.events & EPOLLERR.rawValue != 0 { readiness |= CURL_CSELECT_ERR }
        self.readiness = readiness
    }
}

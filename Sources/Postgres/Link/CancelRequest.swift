import CPostgres
import Glibc

/// A request to cancel the statement under way. `PQcancel` blocks until the server has passed it on, so that it cannot meet a
/// later statement; with a server that hangs, forever. So it runs on a thread of its own, and is not waited for longer
/// than a limit.
struct CancelRequest {
    private let cancel: OpaquePointer

    /// `nil` where the connection is broken.
    init?(_ handle: OpaquePointer) {
        guard let cancel = PQgetCancel(handle) else { return nil }
        self.cancel = cancel
    }

    /// To be called once.
    ///
    /// - Returns: false where there was no answer within the limit: the request is still on its way.
    func send(within limit: Duration) -> Bool {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else {
            PQfreeCancel(cancel)
            return true
        }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        let context = Unmanaged.passRetained(Context(cancel: cancel, end: ends[1]))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            nil,
            { context in
                guard let context else { return nil }
                Unmanaged<Context>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard result == 0 else {
            context.takeRetainedValue().abandon()
            return true
        }
        pthread_detach(thread)
        // Nothing is written: that the other end is closed says it.
        let deadline = ContinuousClock.now + limit
        while true {
            var descriptor = pollfd(fd: ends[0], events: Int16(POLLIN), revents: 0)
            let left = PostgresConfiguration.milliseconds(max(ContinuousClock.now.duration(to: deadline), .zero))
            let count = poll(&descriptor, 1, Int32(clamping: left))
            if count > 0 { return true }
            if count == 0 { return false }
            guard errno == EINTR else { return true }
        }
    }

    /// What the thread needs, and it alone.
    private final class Context {
        private let cancel: OpaquePointer
        private let end: Int32

        init(cancel: OpaquePointer, end: Int32) {
            self.cancel = cancel
            self.end = end
        }

        func run() {
            var message = [CChar](repeating: 0, count: 256)
            _ = PQcancel(cancel, &message, Int32(message.count))
            abandon()
        }

        func abandon() {
            PQfreeCancel(cancel)
            close(end)
        }
    }
}

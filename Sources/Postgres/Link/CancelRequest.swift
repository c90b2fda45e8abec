import CPostgres
import Glibc
import Synchronization

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

/// How another thread asks the connection's thread, which waits for an answer, to cancel the statement.
///
/// The thread sleeps in `poll` on the socket and on this pipe. It makes the cancel request itself, in mid-wait, so that
/// a cancel can never meet a later statement than the one it was meant for.
final class CancelSignal: Sendable {
    private struct State {
        var isWaiting = false
        var isAsked = false
    }

    private let state = Mutex(State())
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(PostgresError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw PostgresError(.connectFailed, reason: "out of descriptors") }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Asks to cancel the statement that is being waited for; nothing when there is none.
    func ask() {
        let isWaiting = state.withLock { state in
            if state.isWaiting { state.isAsked = true }
            return state.isWaiting
        }
        if isWaiting { wake() }
    }

    /// Lets the waiting thread look at its `CancelScope`.
    func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    var isAsked: Bool { state.withLock { $0.isAsked } }

    func beginWaiting() {
        state.withLock { $0 = State(isWaiting: true, isAsked: false) }
    }

    func endWaiting() {
        state.withLock { $0 = State() }
    }

    func empty() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while read(readEnd, buffer.baseAddress, buffer.count) == buffer.count {}
        }
    }
}

/// One borrower's wish to be done: set by the cancellation of its task, seen by every statement it runs.
final class CancelScope: Sendable {
    private let requested = Atomic<Bool>(false)
    private let signal: CancelSignal

    init(signal: CancelSignal) {
        self.signal = signal
    }

    var isRequested: Bool { requested.load(ordering: .acquiring) }

    func request() {
        requested.store(true, ordering: .releasing)
        signal.wake()
    }
}

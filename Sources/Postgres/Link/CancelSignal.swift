import Glibc
import Synchronization

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

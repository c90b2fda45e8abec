package import Glibc
import Synchronization

/// Holds duplicates of this process's connections in a process of its own, so that the servers see no hang-up when this
/// process is killed.
///
/// When a process dies the kernel closes its sockets, unless another process has them open too. Some servers give up a
/// request whose caller has hung up, and forget its idempotency key. With the keeper they complete it; after a while
/// the keeper lets go (`ConnectionHolder`). It neither reads nor writes while this process lives. After that it reads the answers, and
/// passes on which of the requests on the `board` were answered, and how.
///
/// It is for the death of one process. What kills all processes of a container or a machine kills the keeper too; a service
/// manager must not kill the processes that a dead service leaves behind (systemd: `KillMode=process`).
package final class ConnectionKeeper: Sendable {
    package enum Event: Sendable, Equatable {
        /// The keeper does not read: connections are not held until it does. Told once until something gets through again.
        case unresponsive
        /// The keeper's process is gone: nothing is held any more. Told once.
        case ended
    }

    /// The descriptor on which the keeper's process finds its socket.
    static let socketOfChild: Int32 = 3

    /// The descriptor on which the keeper's process finds the board.
    static let boardOfChild: Int32 = 4

    private struct State {
        /// `nil` once the keeper is gone or was let go.
        var socket: KeeperSocket?
        var isUnresponsive = false
        var skipped = 0
        var isReaped = false
    }

    /// Of the keeper's process.
    package let processID: pid_t
    private let state: Mutex<State>
    /// What the connections are used for.
    package let board: RequestBoard
    private let onEvent: @Sendable (Event) -> Void

    /// Starts the keeper's process.
    ///
    /// - Parameters:
    ///   - executable: a path; `/proc/self/exe` is this process's own program.
    ///   - arguments: those that make it call `ConnectionHolder.run`.
    ///   - note: what the keeper's process needs to know when this one is gone, in memory that only this user can read.
    ///   - onEvent: called on the thread that holds or releases; must be short.
    /// - Throws: `ConnectionKeeperError`, where the process is out of descriptors or processes, or there is no such program.
    package init(
        executable: String,
        arguments: [String],
        note: [UInt8] = [],
        onEvent: @escaping @Sendable (Event) -> Void = { _ in }
    ) throws(ConnectionKeeperError) {
        board = try RequestBoard(note: note)
        let (own, theirs) = try KeeperSocket.pair()
        defer { Glibc.close(theirs.descriptor) }
        do throws(ConnectionKeeperError) {
            processID = try KeeperSpawn(executable: executable, arguments: arguments, socket: theirs, board: board)
                .start()
        } catch {
            Glibc.close(own.descriptor)
            throw error
        }
        state = Mutex(State(socket: own))
        self.onEvent = onEvent
    }

    deinit {
        close()
    }

    /// How many connections were not held because the keeper did not read or was gone.
    package var skipped: Int { state.withLock { $0.skipped } }

    package var isRunning: Bool { state.withLock { $0.socket != nil } }

    /// Has the keeper hold a duplicate of an open descriptor under an id. Never blocks.
    package func hold(_ descriptor: Int32, id: UInt64) {
        send(.hold(id: id), descriptor)
    }

    /// Has the keeper close its duplicate. Never blocks; where the keeper cannot be told, it finds out by itself that the
    /// connection was shut down.
    package func release(id: UInt64) {
        send(.release(id: id), nil)
    }

    /// Lets the keeper go: it behaves as after the end of this process.
    package func close() {
        state.withLock { end(&$0) }
    }

    private func send(_ message: KeeperMessage, _ descriptor: Int32?) {
        let event: Event? = state.withLock { state in
            let result = state.socket?.send(message, descriptor: descriptor) ?? .ended
            if result != .sent, descriptor != nil { state.skipped += 1 }
            defer { state.isUnresponsive = result == .full }
            switch result {
            case .sent: return nil
            case .full: return state.isUnresponsive ? nil : .unresponsive
            case .ended:
                guard state.socket != nil else { return nil }
                end(&state)
                return .ended
            }
        }
        if let event { onEvent(event) }
    }

    private func end(_ state: inout State) {
        if let socket = state.socket { Glibc.close(socket.descriptor) }
        state.socket = nil
        // One that runs on after this is reaped by whoever inherits it: it outlives its owner by design.
        if !state.isReaped { state.isReaped = waitpid(processID, nil, WNOHANG) == processID }
    }
}

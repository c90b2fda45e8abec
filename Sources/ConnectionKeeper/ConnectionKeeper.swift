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

/// Why a keeper could not be started. `errno` names the reason of the operating system.
package enum ConnectionKeeperError: Error, Equatable, CustomStringConvertible {
    case noSocket(errno: Int32)
    case noProcess(errno: Int32)
    case noBoard(errno: Int32)

    package var description: String {
        switch self {
        case .noSocket(let errno): "no socket to the connection keeper: \(String(cString: strerror(errno)))"
        case .noProcess(let errno): "the connection keeper cannot be started: \(String(cString: strerror(errno)))"
        case .noBoard(let errno): "no shared memory for the connection keeper: \(String(cString: strerror(errno)))"
        }
    }
}

/// The start of the keeper's process: a session of its own, no signal blocked or ignored, its socket as a known descriptor,
/// and nothing of the environment, which holds secrets, but what libpq reads.
struct KeeperSpawn {
    let executable: String
    let arguments: [String]
    let socket: KeeperSocket
    let board: RequestBoard

    /// Of glibc's spawn.h, behind a macro that Swift does not set.
    private static let newSession: Int32 = 0x80

    /// What the loader may need, and what a password may come from where the connection string has none.
    private static let inheritedVariables = [
        "LD_LIBRARY_PATH", "PGPASSWORD", "PGPASSFILE", "PGSERVICE", "PGSERVICEFILE", "PGSSLMODE", "PGSSLROOTCERT",
        "PGSSLCERT", "PGSSLKEY",
    ]

    func start() throws(ConnectionKeeperError) -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        // Also clears close-on-exec, where the two are the same. The board's own descriptor is above both places.
        posix_spawn_file_actions_adddup2(&actions, socket.descriptor, ConnectionKeeper.socketOfChild)
        posix_spawn_file_actions_adddup2(&actions, board.descriptor, ConnectionKeeper.boardOfChild)

        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigfillset(&signals)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        let flags = Int32(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) | Self.newSession
        posix_spawnattr_setflags(&attributes, Int16(flags))

        let variables = Self.inheritedVariables.compactMap { name in
            getenv(name).map { "\(name)=\(String(cString: $0))" }
        }
        var arguments = ([executable] + arguments).map { strdup($0) } + [nil]
        var environment = variables.map { strdup($0) } + [nil]
        defer { for text in arguments + environment { free(text) } }
        var processID: pid_t = 0
        let result = posix_spawn(&processID, executable, &actions, &attributes, &arguments, &environment)
        guard result == 0 else { throw .noProcess(errno: result) }
        return processID
    }
}

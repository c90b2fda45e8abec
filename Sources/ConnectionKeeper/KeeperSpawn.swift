import Glibc

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

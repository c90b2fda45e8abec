import Synchronization

/// Servers that have lately left a request without an answer, as the connections of a process have found out, so that they need
/// not all find out one after the other.
final class ServerSilences: Sendable {
    private struct State {
        /// Of each server, when the last request was sent that got no answer in time.
        var starts: [ConnectionString.Host?: ContinuousClock.Instant] = [:]
        /// Those that have not taken a session since.
        var suspects: Set<ConnectionString.Host?> = []
    }

    private let state = Mutex(State())

    func note(_ server: ConnectionString.Host?, since start: ContinuousClock.Instant) {
        state.withLock { state in
            state.starts[server] = max(state.starts[server] ?? start, start)
            state.suspects.insert(server)
        }
    }

    /// Whether a request to this server that was sent later than this has got no answer in time.
    func isSilent(_ server: ConnectionString.Host?, since lastHeard: ContinuousClock.Instant) -> Bool {
        state.withLock { ($0.starts[server] ?? lastHeard) > lastHeard }
    }

    /// It has taken a session.
    func clear(_ server: ConnectionString.Host?) {
        state.withLock { _ = $0.suspects.remove(server) }
    }

    /// The servers in their order, suspects last.
    func sorted(_ servers: [ConnectionString.Host?]) -> [ConnectionString.Host?] {
        let suspects = state.withLock { $0.suspects }
        return servers.filter { !suspects.contains($0) } + servers.filter { suspects.contains($0) }
    }
}

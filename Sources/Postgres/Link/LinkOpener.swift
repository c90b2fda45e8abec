import Synchronization

/// Walks through the hosts of a connection string until one takes a session.
struct LinkOpener {
    let configuration: PostgresConfiguration
    let signal: CancelSignal
    let scope: CancelScope?

    /// - Throws: `connectFailed` with the most telling failure: a host that answered before one that did not.
    func open() throws(PostgresError) -> Link {
        var failure: PostgresError?
        for attributes in rounds {
            for host in configuration.silences.sorted(hosts) {
                do throws(PostgresError) {
                    return try open(host, attributes)
                } catch  where error.code == .cancelled {
                    throw error
                } catch {
                    guard failure?.sqlState == nil else { continue }
                    failure = error
                    failure?.server = host.map(described)
                }
            }
        }
        throw failure ?? PostgresError(.connectFailed)
    }

    /// Of what the connection string says; nothing of it is secret.
    private func described(_ host: ConnectionString.Host) -> String {
        let database = configuration.connectionString["dbname"].map { ", database \($0)" } ?? ""
        return "\(host.host ?? host.address ?? "")\(host.port.map { ":\($0)" } ?? "")\(database)"
    }

    private var hosts: [ConnectionString.Host?] {
        configuration.connectionString.hosts.map { $0.map(Optional.some) } ?? [nil]
    }

    /// `prefer-standby` means: all hosts for a standby first, and then for any server.
    private var rounds: [String?] {
        configuration.connectionString["target_session_attrs"] == "prefer-standby" ? ["standby", "any"] : [nil]
    }

    private func open(_ host: ConnectionString.Host?, _ attributes: String?) throws(PostgresError) -> Link {
        let deadline = configuration.timeoutPerHost.map { ContinuousClock.now + $0 }
        let link = try Link.open(
            parameters: configuration.parameters(host: host, attributes: attributes),
            server: host,
            silences: configuration.silences,
            deadline: deadline,
            signal: signal,
            scope: scope,
            notices: NoticeReceiver(observer: configuration.onNotice)
        )
        try SessionSetup(settings: configuration.settings, deadline: deadline, scope: scope).run(on: link)
        configuration.silences.clear(host)
        return link
    }
}

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

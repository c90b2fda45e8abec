import Core
import Synchronization

/// Whether commands can be worked on, as those who hold the connections report it (contract.md §7).
final class Readiness: Sendable {
    /// Of a connection.
    enum Link: String, Sendable, CaseIterable {
        /// Not connected yet.
        case connecting
        case ok
        /// Was connected, and is trying to be again.
        case lost
    }

    struct State: Hashable, Sendable {
        var broker = Link.connecting
        var database = Link.connecting
        var bank = BreakerCondition.closed

        /// The bank does not count: while it is down, commands wait in their queues.
        var isReady: Bool { broker == .ok && database == .ok }

        var json: JSONValue {
            .object([
                "bank": .string(bank.rawValue),
                "broker": .string(broker.rawValue),
                "database": .string(database.rawValue),
                "ready": .bool(isReady),
            ])
        }
    }

    /// A database that was not seen for longer than this is not there, whatever is connected.
    private static let databaseLimit = Duration.milliseconds(2_500)

    private let state = Mutex(State())
    private let databaseSeen = Mutex<ContinuousClock.Instant?>(nil)

    init() {}

    var current: State {
        var state = state.withLock { $0 }
        if state.database == .ok, let seen = databaseSeen.withLock({ $0 }), seen.duration(to: .now) > Self.databaseLimit
        {
            state.database = .lost
        }
        return state
    }

    /// The database has answered. Once this was told, it must be told again and again.
    func sawDatabase() { databaseSeen.withLock { $0 = .now } }

    func setBroker(_ link: Link) { state.withLock { $0.broker = link } }

    func setDatabase(_ link: Link) { state.withLock { $0.database = link } }

    func setBank(_ breaker: BreakerCondition) { state.withLock { $0.bank = breaker } }
}

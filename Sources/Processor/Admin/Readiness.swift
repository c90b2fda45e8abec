import Core
import Synchronization

/// Whether commands can be worked on, as those who hold the connections report it (docs/contract.md#admin-api).
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

    private let state = Mutex(State())

    init() {}

    var current: State { state.withLock { $0 } }

    func setBroker(_ link: Link) { state.withLock { $0.broker = link } }

    func setDatabase(_ link: Link) { state.withLock { $0.database = link } }

    func setBank(_ breaker: BreakerCondition) { state.withLock { $0.bank = breaker } }
}

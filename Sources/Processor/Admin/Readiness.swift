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
        /// What cannot be used at the broker, each in words.
        var troubles: [String] = []
        /// Whether no command can be taken or answered because of them.
        var areStopped = false

        /// The bank does not count: while it is down, commands wait in their queues.
        var isReady: Bool { broker == .ok && database == .ok && !areStopped }

        var json: JSONValue {
            var members: [String: JSONValue] = [
                "bank": .string(bank.rawValue),
                "broker": .string(broker.rawValue),
                "database": .string(database.rawValue),
                "ready": .bool(isReady),
            ]
            // Only where there are any: the other members are all that others look at.
            if !troubles.isEmpty { members["problems"] = .array(troubles.map(JSONValue.string)) }
            return .object(members)
        }
    }

    private let state = Mutex(State())

    init() {}

    var current: State { state.withLock { $0 } }

    func setBroker(_ link: Link) { state.withLock { $0.broker = link } }

    func setDatabase(_ link: Link) { state.withLock { $0.database = link } }

    func setTroubles(_ troubles: [String], stopsCommands: Bool) {
        state.withLock { state in
            state.troubles = troubles
            state.areStopped = stopsCommands
        }
    }

    func setBank(_ breaker: BreakerCondition) { state.withLock { $0.bank = breaker } }
}

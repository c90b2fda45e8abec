import Core
import Synchronization

/// Since when each condition of an alarm has held, and when counters last grew: what the numbers of one moment do not tell.
final class AlarmMemory: Sendable {
    private struct Count {
        var value: Int
        var grewAt: Timestamp?
        /// Looked at for the first time.
        let knownSince: Timestamp
    }

    private struct State {
        var since: [AlarmKind: Timestamp] = [:]
        var counts: [String: Count] = [:]
    }

    private let state = Mutex(State())

    /// What was found at one moment.
    ///
    /// - Parameters:
    ///   - conditions: whether each holds; one that nothing is known of stays as it was.
    ///   - counts: since the start of the process, by name.
    func note(_ conditions: [AlarmKind: Bool], counts: [String: Int], at: Timestamp) {
        state.withLock { state in
            for (kind, holds) in conditions { state.since[kind] = holds ? state.since[kind] ?? at : nil }
            for (name, value) in counts {
                // Counters begin with the process, so what one has when it is first seen has grown by then.
                var count = state.counts[name] ?? Count(value: 0, knownSince: at)
                if value > count.value { (count.value, count.grewAt) = (value, at) }
                state.counts[name] = count
            }
        }
    }

    /// How long the condition has held; `nil` where it does not.
    func age(of kind: AlarmKind, at: Timestamp) -> Duration? {
        state.withLock { $0.since[kind]?.duration(to: at) }
    }

    /// How long ago a counter grew; `nil` where it never has.
    func growth(of name: String, at: Timestamp) -> Duration? {
        state.withLock { $0.counts[name]?.grewAt?.duration(to: at) }
    }

    /// For how long a counter has stood still under our eyes.
    func standstill(of name: String, at: Timestamp) -> Duration {
        state.withLock { state in
            guard let count = state.counts[name] else { return .zero }
            return (count.grewAt ?? count.knownSince).duration(to: at)
        }
    }
}

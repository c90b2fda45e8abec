import Core
import Synchronization

/// Looks at what alarms are about every ten seconds, whether anybody has a page open or not: otherwise nobody knew since when.
struct AlarmWatch: Sendable {
    let parts: ConsoleParts

    private static let period = Duration.seconds(10)

    /// Until the task is cancelled.
    func run() async {
        while !Task.isCancelled {
            var snapshot = OverviewSnapshot(
                at: parts.time.now(),
                state: parts.readiness.current,
                parts.metrics.registry
            )
            if snapshot.state.database == .ok {
                snapshot.members = try? await parts.members.members(timeout: Member.timeout)
            }
            note(snapshot)
            try? await parts.time.sleep(for: Self.period)
        }
    }

    func note(_ snapshot: OverviewSnapshot) {
        let registry = parts.metrics.registry
        let counters = AlarmKind.allCases.compactMap(\.counted?.counter) + [.commands]
        let counts = counters.map { ($0.rawValue, registry.count(of: $0.rawValue)) }
        parts.alarms.note([:], counts: Dictionary(uniqueKeysWithValues: counts), at: snapshot.at)
        // Whether commands stand still is known by their count.
        let conditions = snapshot.conditions(partitions: parts.partitions, parts.alarms)
        parts.alarms.note(conditions, counts: [:], at: snapshot.at)
    }
}

extension OverviewSnapshot {
    /// In that time somebody else's commands may just have been slow: the range of the alert's `rate`.
    static let standstill = Duration.seconds(300)
    /// As of the alert "Retry tiers filling".
    static let manyDeferred = 1_000

    /// Whether the condition of each alarm holds, as far as it takes time; what cannot be told now is left out.
    func conditions(partitions: Int, _ memory: AlarmMemory) -> [AlarmKind: Bool] {
        var conditions: [AlarmKind: Bool] = [
            // As of the metric: also while one command finds out whether it is available again.
            .bankUnavailable: state.bank != .closed,
            .brokerUnavailable: state.broker == .lost || state.broker == .stalled || state.areStopped,
            .databaseUnavailable: state.database == .lost || state.database == .stalled,
            .deadLetters: (deadLetters?.values.reduce(0, +) ?? deadLettersOpen) > 0,
            .retryTiersFilling: retryDepths.values.reduce(0, +) > Self.manyDeferred,
            .eventsStuck: eventsWaiting > 0,
        ]
        let stillFor = memory.standstill(of: ProcessorMetrics.Name.commands.rawValue, at: at)
        // Those of other processors' partitions are for them.
        let waiting = (state.members?.owned ?? []).reduce(0) { $0 + (queueDepths["commands.\($1)"] ?? 0) }
        conditions[.noProgress] = stillFor >= Self.standstill && waiting > 0 && state.bank == .closed
        if let unattended = unattended(partitions) { conditions[.partitionUnattended] = !unattended.isEmpty }
        return conditions
    }

    /// The partitions that no processor is subscribed to; `nil` where that is not known. While the bank is unavailable nobody is to be.
    func unattended(_ partitions: Int) -> [Int]? {
        guard let members, state.broker == .ok else { return nil }
        guard state.bank == .closed else { return [] }
        let attended = members.reduce(into: Set<Int>()) { $0.formUnion($1.subscribed) }
        return (0..<partitions).filter { !attended.contains($0) }
    }
}

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

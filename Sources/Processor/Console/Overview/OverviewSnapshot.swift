import Core

/// How everything is, at one moment. What could not be had is `nil`.
struct OverviewSnapshot: Sendable {
    let at: Timestamp
    let state: Readiness.State
    var bankCause: String?
    var members: [Member]?
    var runs: [SweepRun]?
    /// At most one more than `OverviewSource.mostReviews`.
    var reviews: Int?
    /// Unfinished dead letters by code.
    var deadLetters: [String: Int]?
    var schema: String?
    /// What all processors have done within the last hour.
    var hour: CommandHour?

    // As the metrics have them, every ten seconds.
    let queueDepths: [String: Int]
    let retryDepths: [String: Int]
    let openOperations: Int
    let oldest: [String: Duration]
    let outboxOldest: Duration
    let eventsWaiting: Int
    let deadLettersOpen: Int
}

extension OverviewSnapshot {
    /// - Parameter registry: of this process.
    init(at: Timestamp, state: Readiness.State, _ registry: PrometheusRegistry) {
        func gauges(_ name: ProcessorMetrics.Name, _ label: String = "") -> [String: Double] {
            registry.gauges(name.rawValue, by: label)
        }
        self.init(
            at: at,
            state: state,
            queueDepths: gauges(.queueDepth, "queue").mapValues { Int($0) },
            retryDepths: gauges(.retryDepth, "tier").mapValues { Int($0) },
            openOperations: Int(gauges(.openOperations, "operation").values.reduce(0, +)),
            oldest: gauges(.queueOldest, "queue").mapValues { .milliseconds(Int64($0 * 1_000)) },
            outboxOldest: .milliseconds(Int64((gauges(.outboxOldest)[""] ?? 0) * 1_000)),
            eventsWaiting: Int(gauges(.eventsWaiting)[""] ?? 0),
            deadLettersOpen: Int(gauges(.deadLettersOpen)[""] ?? 0)
        )
    }
}

/// Looks at everything, at most every other second, however many pages are open.
actor OverviewSource {
    private let parts: ConsoleParts
    private var last: OverviewSnapshot?
    private var lastAt = ContinuousClock.now
    private var underWay: Task<OverviewSnapshot, Never>?

    private static let freshness = Duration.milliseconds(1_500)
    /// More are not counted.
    static let mostReviews = 1_000
    static let mostRuns = 100

    init(_ parts: ConsoleParts) {
        self.parts = parts
    }

    func snapshot() async -> OverviewSnapshot {
        if let last, ContinuousClock.now - lastAt < Self.freshness { return last }
        if let underWay { return await underWay.value }
        let task = Task { [parts] in await Self.take(parts) }
        underWay = task
        let snapshot = await task.value
        (last, lastAt, underWay) = (snapshot, .now, nil)
        return snapshot
    }

    /// After an action the numbers are others.
    func forget() { last = nil }

    /// By heading of the navigation.
    func badges() async -> [ConsoleSection: ConsoleBadge] {
        let snapshot = await snapshot()
        let due = Set(OverviewAlarms(snapshot, parts).all.filter(\.isDue).map(\.kind))
        return [
            .review: ConsoleBadge(count: snapshot.reviews ?? 0, isDue: due.contains(.manualReview)),
            .deadLetters: ConsoleBadge(
                count: (snapshot.deadLetters ?? [:]).values.reduce(0, +),
                isDue: due.contains(.deadLetters)
            ),
        ]
    }

    private static func take(_ parts: ConsoleParts) async -> OverviewSnapshot {
        let state = parts.readiness.current
        var snapshot = OverviewSnapshot(at: parts.time.now(), state: state, parts.metrics.registry)
        // A page about an outage does not wait for what is unavailable.
        guard state.database == .ok else {
            AlarmWatch(parts: parts).note(snapshot)
            return snapshot
        }
        async let members = try? parts.members.members(timeout: Member.timeout)
        async let runs = try? parts.sweeps.store.runs(limit: mostRuns)
        async let reviews = try? parts.reading.reviews(of: nil, after: nil, limit: mostReviews + 1).count
        async let deadLetters = try? parts.deadLetters.queries.unfinishedDeadLetters()
        async let schema = try? parts.reading.schema()
        async let hour = try? parts.minutes.lastHour()
        if state.bank != .closed, let status = try? await parts.bankStatus.bankStatus() {
            snapshot.bankCause = status.cause
        }
        snapshot.members = await members
        snapshot.runs = await runs
        snapshot.reviews = await reviews
        snapshot.deadLetters = await deadLetters
        snapshot.schema = await schema
        snapshot.hour = await hour
        AlarmWatch(parts: parts).note(snapshot)
        return snapshot
    }
}

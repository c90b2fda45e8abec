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

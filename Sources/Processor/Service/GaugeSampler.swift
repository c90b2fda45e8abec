import Core
import CoreMetrics

/// Reads every now and then what waits to be done, for the gauges: a scrape asks nobody, and costs the same whatever
/// there is.
struct GaugeSampler: Sendable {
    let store: any SweepStore
    let ages: @Sendable () async throws(StoreError) -> QueueAges
    let deadLetters: any DeadLetterQueries
    let depths: QueueDepths
    let readiness: Readiness
    let metrics: ProcessorMetrics
    let time: any TimeSource

    private static let period = Duration.seconds(10)

    /// Until the task is cancelled. While the store or the broker is away its gauges stay as they were; `/readyz` tells of it.
    func run() async {
        while !Task.isCancelled {
            if let backlog = try? await store.backlog() {
                for kind in OperationKind.allCases { metrics.setOpenOperations(kind, backlog.open[kind] ?? 0) }
                metrics.setOutboxOldest(backlog.outboxOldest)
                metrics.setEventsWaiting(backlog.eventsWaiting)
            }
            if let deadLetters = try? await deadLetters.unfinishedDeadLetters() {
                metrics.deadLettersOpen.set(deadLetters.values.reduce(0, +))
            }
            if let ages = try? await ages() { metrics.setOldest(ages) }
            if let retryTiers = try? await depths.retryTiers() {
                for (tier, depth) in retryTiers { metrics.setRetryDepth(tier, depth) }
            }
            let waiting = await depths.others()
            for (queue, depth) in waiting { metrics.setQueueDepth(queue, depth) }
            readiness.setReplies(waiting[QueueDepths.replies])
            try? await time.sleep(for: Self.period)
        }
    }
}

import AMQP
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

/// How many messages wait in our queues, asked of the broker.
struct QueueDepths: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let partitions: Int

    /// Who looks has other things to look at.
    private static let patience = Duration.seconds(5)

    /// On each retry tier.
    ///
    /// - Throws: `AMQPError` where the broker cannot be asked, or a queue is not there yet.
    func retryTiers() async throws(AMQPError) -> [RetryTier: Int] {
        let connection = try await session.connection(timeout: Self.patience)
        var depths: [RetryTier: Int] = [:]
        for tier in RetryTier.allCases { depths[tier] = try await connection.messageCount(of: names.retryQueue(tier)) }
        return depths
    }

    /// In every other queue, by its name without the prefix. One that is not there is left out.
    func others() async -> [String: Int] {
        guard let connection = try? await session.connection(timeout: Self.patience) else { return [:] }
        var depths: [String: Int] = [:]
        for queue in Self.queues(names, partitions: partitions) {
            depths[queue.label] = try? await connection.messageCount(of: queue.name)
        }
        return depths
    }

    static let replies = "replies"

    static func queues(_ names: BrokerNames, partitions: Int) -> [(label: String, name: String)] {
        (0..<partitions).map { ("commands.\($0)", names.commandsQueue($0)) } + [
            (replies, names.repliesQueue), ("dead-letters", names.deadLetters), ("unrouted", names.unrouted),
            ("sweeps", names.sweeps),
        ]
    }
}

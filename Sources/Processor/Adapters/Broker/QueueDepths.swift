import AMQP
import Core

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

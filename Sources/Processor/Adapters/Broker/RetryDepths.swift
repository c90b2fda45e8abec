import AMQP
import Core

/// How many commands wait on each rung of the retry ladder, asked of the broker.
struct RetryDepths: Sendable {
    let session: AMQPSession
    let names: BrokerNames

    /// Who looks has other things to look at.
    private static let patience = Duration.seconds(5)

    /// - Throws: `AMQPError` where the broker cannot be asked, or a queue is not there yet.
    func read() async throws(AMQPError) -> [RetryTier: Int] {
        let connection = try await session.connection(timeout: Self.patience)
        var depths: [RetryTier: Int] = [:]
        for tier in RetryTier.allCases { depths[tier] = try await connection.messageCount(of: names.retryQueue(tier)) }
        return depths
    }
}

import AMQP

/// Finds out whether the broker still delivers to a consumer that has been given nothing for a while.
///
/// RabbitMQ 3.10 keeps the consumer of a queue that somebody deletes and declares again at once: it sets messages aside for it, up to
/// its prefetch, and delivers none of them. It does not tell, and the messages are not among those that are ready. But it counts a
/// consumer that is cancelled as long as it has messages unacknowledged. So a quiet consumer that holds none is cancelled and subscribed
/// again: where more consumers are counted then than before, the broker has set messages aside, which only the end of the channel gives
/// back.
struct ConsumerCheck: Sendable {
    /// How long a consumer must have been quiet.
    var quiet = Duration.seconds(30)
    /// Between two counts before: longer than the consumer of another processor is away that is just being subscribed again, so that
    /// its return is not taken for one too many.
    var spacing = Duration.seconds(2)

    /// Between two counts afterwards: what was acknowledged just now is counted for a moment.
    private static let pause = Duration.milliseconds(200)
    private static let counts = 5

    /// Waits until the consumer has been quiet for so long, then cancels it. Whoever reads its deliveries gets the end then.
    ///
    /// - Parameters:
    ///   - consumer: one that is subscribed.
    ///   - connection: its own.
    ///   - willCancel: called before it is cancelled, and not where that never happens.
    /// - Returns: how many consumers the queue had, where nothing was delivered to this one since; else `nil`.
    /// - Throws: why the connection has ended, or the queue could not be looked up; `cancelled`.
    func cancelWhenQuiet(
        _ consumer: AMQPConsumer,
        on connection: AMQPConnection,
        willCancel: () -> Void
    ) async throws(AMQPError) -> Int? {
        while true {
            try await waitUntilQuiet(consumer)
            let first = try await connection.checkQueue(consumer.queue).consumerCount
            try await sleep(spacing)
            let second = try await connection.checkQueue(consumer.queue).consumerCount
            guard isQuiet(consumer) else { continue }
            let deliveries = consumer.deliveryCount
            if Task.isCancelled { throw AMQPError(.cancelled) }
            willCancel()
            try await consumer.cancel()
            return consumer.deliveryCount == deliveries ? max(first, second) : nil
        }
    }

    /// Whether the broker has set messages aside for a consumer that was cancelled.
    ///
    /// - Parameters:
    ///   - queue: has a consumer in its place by now.
    ///   - before: how many consumers it had.
    ///   - connection: of both consumers.
    func isStarved(_ queue: String, before: Int, on connection: AMQPConnection) async throws(AMQPError) -> Bool {
        for _ in 0..<Self.counts {
            if try await connection.checkQueue(queue).consumerCount <= before { return false }
            try await sleep(Self.pause)
        }
        return true
    }

    private func waitUntilQuiet(_ consumer: AMQPConsumer) async throws(AMQPError) {
        while !isQuiet(consumer) {
            let rest = consumer.quietSince.map { $0 + quiet - .now } ?? quiet
            // Not all at the same time.
            try await sleep(max(rest, .zero) + .milliseconds(.random(in: 1...1_000)))
        }
    }

    private func isQuiet(_ consumer: AMQPConsumer) -> Bool {
        consumer.quietSince.map { .now - $0 >= quiet } ?? false
    }

    private func sleep(_ duration: Duration) async throws(AMQPError) {
        do { try await Task.sleep(for: duration) } catch { throw AMQPError(.cancelled) }
    }
}

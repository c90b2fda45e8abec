import AMQP

/// Consumes a queue as long as its connection lives: where the queue vanishes, it waits for it, and the others go on.
struct SteadyConsumer: Sendable {
    let watch: TopologyWatch

    /// Between two looks at whether the queue is there again.
    private static let pause = Duration.milliseconds(200)

    /// Returns when the subscription has ended for another reason than that its queue is gone.
    ///
    /// - Parameters:
    ///   - queue: its name.
    ///   - isWanted: false when it need not be waited for any more.
    ///   - onMissing: called when it is not there.
    ///   - body: reads the deliveries to their end.
    func run(
        _ queue: String,
        on connection: AMQPConnection,
        prefetch: UInt16,
        while isWanted: () async -> Bool,
        onMissing: () -> Void = {},
        body: (AMQPConsumer) async throws(AMQPError) -> Void
    ) async throws(AMQPError) {
        while await isWanted() {
            do throws(AMQPError) {
                return try await body(try await connection.consume(queue: queue, prefetch: prefetch))
            } catch {
                guard error.code == .cancelledByBroker || error.code == .channelClosed(replyCode: 404) else {
                    throw error
                }
                watch.note(.queue(queue), .missing)
                onMissing()
            }
            while watch.troubles.isMissing(.queue(queue)), connection.isUsable, await isWanted() {
                guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
            }
        }
    }
}

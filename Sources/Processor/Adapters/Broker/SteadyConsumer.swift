import AMQP
import Synchronization

/// Consumes a queue as long as its connection lives: where the queue vanishes, it waits for it, and the others go on; where nothing
/// comes for a while, it checks whether the broker still delivers.
struct SteadyConsumer: Sendable {
    let watch: TopologyWatch
    var check = ConsumerCheck()

    /// Between two checks whether the queue is there again.
    private static let pause = Duration.milliseconds(200)

    /// Returns when the subscription has ended for another reason than that its queue is gone.
    ///
    /// - Parameters:
    ///   - queue: its name.
    ///   - isWanted: false when it need not be waited for any more.
    ///   - onMissing: called when it is not there.
    ///   - onRenewal: called when its consumer has been cancelled to be subscribed again.
    ///   - body: reads the deliveries to their end.
    /// - Throws: also where the broker delivers nothing although it has messages for this consumer: its channel must end.
    func run(
        _ queue: String,
        on connection: AMQPConnection,
        prefetch: UInt16,
        while isWanted: () async -> Bool,
        onMissing: () -> Void = {},
        onRenewal: @escaping @Sendable () async -> Void = {},
        body: (AMQPConsumer) async throws(AMQPError) -> Void
    ) async throws(AMQPError) {
        /// How many consumers the queue had when the last one was cancelled, being quiet.
        var before: Int?
        while await isWanted() {
            do throws(AMQPError) {
                let consumer = try await connection.consume(queue: queue, prefetch: prefetch)
                if let count = before, try await check.isStarved(queue, before: count, on: connection) {
                    watch.troubles.note(.queue(queue), .undelivered)
                    throw AMQPError(.closed, problem: "\(BrokerTrouble(object: .queue(queue), problem: .undelivered))")
                }
                watch.troubles.clear([.queue(queue)], of: .undelivered)
                let (isRenewed, count) = try await read(consumer, on: connection, onRenewal, body)
                if !isRenewed { return }
                before = count
            } catch {
                guard error.code == .cancelledByBroker || error.code == .channelClosed(replyCode: 404) else {
                    throw error
                }
                before = nil
                watch.note(.queue(queue), .missing)
                onMissing()
                while watch.troubles.isMissing(.queue(queue)), connection.isUsable, await isWanted() {
                    guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
                }
            }
        }
    }

    /// - Returns: whether it was cancelled because it was quiet, and how many consumers the queue had then.
    private func read(
        _ consumer: AMQPConsumer,
        on connection: AMQPConnection,
        _ onRenewal: @escaping @Sendable () async -> Void,
        _ body: (AMQPConsumer) async throws(AMQPError) -> Void
    ) async throws(AMQPError) -> (isRenewed: Bool, count: Int?) {
        let isCancelled = Flag()
        let checking = Task { [check] () async -> Int? in
            // What is wrong with the connection is found by who reads from it.
            let count = try? await check.cancelWhenQuiet(consumer, on: connection, willCancel: isCancelled.set)
            if isCancelled.isSet { await onRenewal() }
            return count
        }
        let ending: Result<Void, AMQPError>
        do throws(AMQPError) {
            ending = .success(try await body(consumer))
        } catch {
            ending = .failure(error)
        }
        // Once it has cancelled the consumer it sees to the rest.
        if !isCancelled.isSet { checking.cancel() }
        let count = await checking.value
        try ending.get()
        return (isCancelled.isSet, count)
    }
}

private final class Flag: Sendable {
    private let value = Atomic(false)

    var isSet: Bool { value.load(ordering: .acquiring) }

    func set() { value.store(true, ordering: .releasing) }
}

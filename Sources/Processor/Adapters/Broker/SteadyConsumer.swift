import AMQP
import BrokerMapping
import Core

/// Consumes a queue as long as its connection lives: where the queue vanishes, it waits for it, and the others go on; where nothing
/// comes for a while, it subscribes anew.
///
/// RabbitMQ 3.10 keeps the consumer of a queue that somebody deletes and declares again at once: it sets messages aside for it, up to
/// its prefetch, delivers none of them, and does not tell. Only the end of the consumer's channel gives them back. So a consumer that was
/// given nothing for a while, and has nothing to settle, gets a new channel (docs/correctness.md#consumers-without-deliveries).
struct SteadyConsumer: Sendable {
    let watch: TopologyWatch
    /// How long a consumer must have been quiet.
    var quiet = Duration.seconds(30)

    /// Between two checks whether the queue is there again.
    private static let pause = Duration.milliseconds(200)

    /// Returns when it is wanted no longer, or the connection was closed by this side.
    ///
    /// - Parameters:
    ///   - queue: its name.
    ///   - isWanted: false when it need not be waited for any more.
    ///   - onMissing: called when it is not there.
    ///   - body: reads the deliveries of one subscription to their end. What it leaves unsettled then comes again.
    /// - Throws: what has ended it before its time.
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
                let consumer = try await connection.consume(queue: queue, prefetch: prefetch)
                let checking = Task { await stopWhenQuiet(consumer) }
                defer { checking.cancel() }
                let ending: Result<Void, AMQPError>
                do throws(AMQPError) {
                    ending = .success(try await body(consumer))
                } catch {
                    ending = .failure(error)
                }
                await consumer.close()
                try ending.get()
                guard connection.isUsable else { return }
            } catch {
                guard error.code == .cancelledByBroker || error.code == .channelClosed(replyCode: 404) else {
                    throw error
                }
                watch.note(.queue(queue), .missing)
                onMissing()
                while watch.troubles.isMissing(.queue(queue)), connection.isUsable, await isWanted() {
                    guard (try? await Task.sleep(for: Self.pause)) != nil else { return }
                }
            }
        }
    }

    private func stopWhenQuiet(_ consumer: AMQPConsumer) async {
        while true {
            let rest = consumer.quietSince.map { $0 + quiet - .now } ?? quiet
            if consumer.quietSince != nil, rest <= .zero { return consumer.stop() }
            // Not all at the same time.
            guard (try? await Task.sleep(for: max(rest, .zero) + .milliseconds(.random(in: 1...1_000)))) != nil else {
                return
            }
        }
    }
}

/// A delivery of the broker, in the words of Core.
struct BrokerDelivery: Delivery {
    private let delivery: AMQPDelivery
    let message: Message

    init(_ delivery: AMQPDelivery) {
        self.delivery = delivery
        message = Message(delivery.message)
    }

    func acknowledge() async {
        // Fails only when its connection is gone: then the broker delivers the command again, and its stored outcome answers it.
        try? delivery.acknowledge()
    }

    func reject() async {
        // As above.
        try? delivery.reject(requeue: false)
    }
}

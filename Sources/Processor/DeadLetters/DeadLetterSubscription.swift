import AMQP
import BrokerMapping
import Core
import ServiceLifecycle

/// Keeps the queues of dead letters subscribed, on every new connection anew, until the service shuts down.
///
/// It may be cut off anywhere: what is not acknowledged comes again, and is known then.
struct DeadLetterSubscription: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let ingester: DeadLetterIngester
    let steady: SteadyConsumer
    /// Told why a subscription ended before its time.
    let onFailure: @Sendable (any Error) -> Void

    /// Between two attempts on a connection that is there.
    private static let pause = Duration.seconds(1)

    /// Enough that the broker need not be waited for, little enough that the memory it takes does not matter.
    private static let prefetch: UInt16 = 100

    /// Returns when the service shuts down or the task is cancelled.
    func run() async {
        try? await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do {
                    try await consume(session.connection())
                } catch {
                    if Task.isCancelled { return }
                    onFailure(error)
                    try await Task.sleep(for: Self.pause)
                }
            }
        }
    }

    private func consume(_ connection: AMQPConnection) async throws {
        do {
            // A queue that vanishes is waited for; when one ends otherwise, both end: what is wrong is checked by
            // starting over.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for queue in [names.deadLetters, names.unrouted] {
                    let isUnrouted = queue == names.unrouted
                    group.addTask {
                        try await steady.run(
                            queue,
                            on: connection,
                            prefetch: Self.prefetch,
                            while: { !Task.isCancelled },
                            body: { deadLetters throws(AMQPError) in
                                try await ingester.consume(
                                    deadLetters.map {
                                        BrokerDeadLetter($0, isUnrouted: isUnrouted) as any DeadLetterDelivery
                                    }
                                )
                            }
                        )
                    }
                }
                try await group.next()
                group.cancelAll()
            }
        } catch {
            await connection.close()
            throw error
        }
        // Gives back what was delivered and not taken.
        await connection.close()
    }
}

/// A dead letter as the broker hands it over, with what it says about how the message came there.
struct BrokerDeadLetter: DeadLetterDelivery {
    private let delivery: AMQPDelivery
    let message: Message
    let origin: DeadLetterOrigin

    /// - Parameter isUnrouted: from the queue of what no command queue took.
    init(_ delivery: AMQPDelivery, isUnrouted: Bool) {
        self.delivery = delivery
        message = Message(delivery.message)
        origin = isUnrouted ? .unrouted : Self.origin(of: delivery.message)
    }

    func acknowledge() async {
        // Fails only when its connection is gone: then the dead letter comes again, and is known.
        try? delivery.acknowledge()
    }

    func reject() async {
        // Nothing is behind this queue: it would be gone. It comes again when its connection ends.
    }

    /// The processor's own dead letters carry no `x-death` (docs/correctness.md#copied-headers); of the broker's, the
    /// first entry is the last event.
    static func origin(of message: AMQPMessage) -> DeadLetterOrigin {
        guard let death = message.properties.headers["x-death"]?.arrayValue?.first?.tableValue else {
            return .processor
        }
        var seconds: UInt64?
        if case .timestamp(let time) = death["time"] { seconds = time }
        let count = death["count"]?.intValue ?? 0
        return .broker(
            reason: death["reason"]?.stringValue ?? "unknown",
            occurrence: "\(death["queue"]?.stringValue ?? "") \(count) \(seconds ?? 0)",
            at: seconds.flatMap { Int64(exactly: $0) }.flatMap(Self.instant)
        )
    }

    /// `nil` where no store could compute with it.
    private static func instant(_ seconds: Int64) -> Timestamp? {
        (0..<253_402_300_800).contains(seconds) ? Timestamp(microseconds: seconds * 1_000_000) : nil
    }
}

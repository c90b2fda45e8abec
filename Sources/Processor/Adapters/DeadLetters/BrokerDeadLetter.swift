import AMQP
import BrokerMapping
import Core

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

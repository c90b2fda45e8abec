import Synchronization
import ThreadExecutor

/// A message that the broker has handed to a consumer and that waits to be settled.
///
/// Left unsettled, it is delivered again, marked `redelivered`, after its channel or connection has ended.
package final class AMQPDelivery: Sendable {
    package let message: AMQPMessage
    package let exchange: String
    package let routingKey: String
    package let redelivered: Bool
    package let deliveryTag: UInt64
    let receivedAt: ContinuousClock.Instant
    /// The index of its channel, and the number of its consumer.
    private let consumer: (lane: Int, number: UInt64)
    private let settlements: SettlementQueue
    private let activity: ConsumerActivity
    private let isSettled = Atomic(false)

    init(
        message: AMQPMessage,
        exchange: String,
        routingKey: String,
        redelivered: Bool,
        deliveryTag: UInt64,
        receivedAt: ContinuousClock.Instant,
        consumer: (lane: Int, number: UInt64),
        settlements: SettlementQueue,
        activity: ConsumerActivity
    ) {
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.redelivered = redelivered
        self.deliveryTag = deliveryTag
        self.receivedAt = receivedAt
        self.consumer = consumer
        self.settlements = settlements
        self.activity = activity
    }

    /// When it has expired by the broker's count, which began before it came; `nil` where it does not.
    var expiry: ContinuousClock.Instant? {
        message.properties.expiration.flatMap { UInt32($0) }.map { receivedAt + .milliseconds($0) }
    }

    /// Tells the broker that the message is done with. Only enqueues: the acknowledgements of a turn travel together, and
    /// the broker answers none of them. A second settlement of a delivery is ignored.
    ///
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func acknowledge() throws(AMQPError) {
        try settle(.acknowledge)
    }

    /// Gives the message back. Only enqueues, as `acknowledge()`.
    ///
    /// - Parameter requeue: to the queue; otherwise it is dead-lettered, or dropped where the queue has no dead-letter
    ///   exchange.
    /// - Throws: why the channel of this delivery has ended. Harmless: the broker delivers the message again.
    package func reject(requeue: Bool) throws(AMQPError) {
        try settle(.reject(requeue: requeue))
    }

    private func settle(_ kind: SettlementQueue.Settlement.Kind) throws(AMQPError) {
        let (lane, number) = consumer
        if !isSettled.exchange(true, ordering: .relaxed) { try activity.settled() }
        settlements.add(SettlementQueue.Settlement(lane: lane, consumer: number, tag: deliveryTag, kind: kind))
    }
}

/// Where callers on any thread leave the settlements of a connection's deliveries.
final class SettlementQueue: Sendable {
    struct Settlement {
        enum Kind {
            case acknowledge
            case reject(requeue: Bool)
        }

        /// Of the channel and the consumer that the delivery came by: its tag means nothing to another one.
        let lane: Int
        let consumer: UInt64
        let tag: UInt64
        let kind: Kind
    }

    private struct State {
        var settlements: [Settlement] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let executor: ThreadExecutor

    init(executor: ThreadExecutor) {
        self.executor = executor
    }

    func add(_ settlement: Settlement) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            defer { state.settlements.append(settlement) }
            return state.settlements.isEmpty
        }
        if isFirst { executor.wake() }
    }

    /// Swaps the content against an empty array, whose memory is used again.
    func take(into settlements: inout [Settlement]) {
        state.withLock { swap(&$0.settlements, &settlements) }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.settlements = []
        }
    }
}

/// The deliveries of a channel that the broker waits to hear of, and the fewest frames that tell it.
///
/// Acknowledgements collect here during a turn. `takeFrames` then makes one `multiple` acknowledgement of the longest run
/// of finished deliveries at the beginning, and a frame each of the finished ones beyond a gap.
struct AckTracker {
    struct Frame: Equatable {
        let tag: UInt64
        let multiple: Bool
    }

    private enum Mark {
        case outstanding
        case acknowledged
        /// The broker has been told.
        case settled
    }

    private var marks = SlidingWindow<Mark>()
    private var acknowledged: [UInt64] = []

    var isEmpty: Bool { marks.isEmpty }

    /// - Returns: false when the tag is not the one after the last: then nothing said about tags later would be safe.
    mutating func delivered(_ tag: UInt64) -> Bool {
        marks.append(.outstanding) == tag
    }

    /// A second settlement of the same delivery is ignored: sent, it would close the channel.
    mutating func acknowledge(_ tag: UInt64) {
        guard marks[tag] == .outstanding else { return }
        marks[tag] = .acknowledged
        acknowledged.append(tag)
    }

    /// - Returns: whether a rejection is to be sent: false for what is settled already. It must go out before the frames of
    ///   the same turn, whose `multiple` could otherwise cover it.
    mutating func reject(_ tag: UInt64) -> Bool {
        guard marks[tag] == .outstanding else { return false }
        marks[tag] = .settled
        while let first = marks[marks.first], first == .settled { _ = marks.remove(marks.first) }
        return true
    }

    /// Appends the frames of this turn's acknowledgements.
    mutating func takeFrames(into frames: inout [Frame]) {
        guard !acknowledged.isEmpty else { return }
        var last: UInt64 = 0
        var count = 0
        var tag = marks.first
        while let mark = marks[tag], mark != .outstanding {
            if mark == .acknowledged {
                last = tag
                count += 1
            }
            _ = marks.remove(tag)
            tag += 1
        }
        // The tag of a multiple acknowledgement must itself be unsettled, else the broker closes the channel (406).
        if count > 0 { frames.append(Frame(tag: last, multiple: count > 1)) }
        for tag in acknowledged where marks[tag] == .acknowledged {
            frames.append(Frame(tag: tag, multiple: false))
            marks[tag] = .settled
        }
        acknowledged.removeAll(keepingCapacity: true)
    }
}

/// The consuming side of a connection, on its thread: a channel for each consumer, counted down from the highest number.
struct Consuming {
    /// Each keeps its place and its channel; one that is free is used again.
    private(set) var lanes: [ConsumerLane] = []
    var lastConsumer: UInt64 = 0
    let settlements: SettlementQueue
    /// Kept for its memory.
    private var taken: [SettlementQueue.Settlement] = []
    private var lastChannel: UInt16 = 1

    init(settlements: SettlementQueue) {
        self.settlements = settlements
    }

    /// - Parameter channels: the number of the last one.
    mutating func grant(channels: Int) { lastChannel = UInt16(clamping: channels) }

    /// The lowest channel that is taken.
    var firstChannel: UInt16 { lastChannel + 1 - UInt16(lanes.count) }

    var hasFrames: Bool { lanes.contains(where: \.hasFrames) }
    /// Whether no call waits or is under way.
    var isIdle: Bool { lanes.allSatisfy(\.channel.isIdle) }
    /// The earliest deadline of a call.
    var callDeadline: MonotonicTime? { lanes.lazy.compactMap(\.channel.deadline).min() }

    /// The lane whose channel has this number.
    func index(ofChannel number: UInt16) -> Int? {
        guard number <= lastChannel, number >= firstChannel, !lanes.isEmpty else { return nil }
        return Int(lastChannel - number)
    }

    /// Works on one lane in place.
    mutating func withLane<Value>(_ index: Int, _ body: (inout ConsumerLane) -> Value) -> Value { body(&lanes[index]) }

    /// Takes a lane that is free.
    ///
    /// - Parameter lowest: the channels below that are others'.
    /// - Returns: its index; `nil` where no channel is left.
    mutating func begin(_ consumer: ConsumerLane.Consumer, above lowest: UInt16) -> Int? {
        let index: Int
        if let free = lanes.firstIndex(where: \.isFree) {
            index = free
        } else {
            guard firstChannel - 1 >= lowest else { return nil }
            index = lanes.count
            lanes.append(ConsumerLane(channel: firstChannel - 1))
        }
        lanes[index].begin(consumer)
        return index
    }

    /// The lane of the consumer with that number.
    func index(ofConsumer number: UInt64) -> Int? { lanes.firstIndex { $0.consumer?.number == number } }

    mutating func takeSettlements() {
        settlements.take(into: &taken)
        guard !taken.isEmpty else { return }
        for settlement in taken where settlement.lane < lanes.count { lanes[settlement.lane].settle(settlement) }
        taken.removeAll(keepingCapacity: true)
        for index in lanes.indices { lanes[index].collect() }
    }

    mutating func giveUpOverdueCalls(_ now: MonotonicTime) {
        for index in lanes.indices { lanes[index].channel.giveUpOverdueCall(now) }
    }

    mutating func failAll(_ error: AMQPError) {
        settlements.close()
        for index in lanes.indices {
            lanes[index].channel.failAll(error)
            lanes[index].ended(error)
        }
    }
}

/// A channel with one consumer, on the connection's thread.
///
/// A channel each, so that one subscription can be ended with all that it holds: when its channel is closed, the broker puts back what
/// is not settled, in its order, before the next consumer of the queue gets anything. Cancelling a consumer does not do that.
struct ConsumerLane {
    struct Consumer {
        let number: UInt64
        let buffer: DeliveryBuffer
        let activity: ConsumerActivity
    }

    struct Rejection {
        let tag: UInt64
        let requeue: Bool
    }

    private enum Phase {
        case free
        case used
        /// The consumer has been cancelled, by whomever: what it was given can still be settled.
        case ended
        /// We are closing the channel.
        case closing
    }

    var channel: Channel
    private(set) var consumer: Consumer?
    private var phase = Phase.free
    private(set) var tracker = AckTracker()
    /// A message that is arriving.
    var incoming: IncomingContent?
    /// To be written this turn.
    private(set) var acknowledgements: [AckTracker.Frame] = []
    private(set) var rejections: [Rejection] = []

    init(channel number: UInt16) {
        channel = Channel(number: number)
    }

    var isFree: Bool {
        if case .free = phase { channel.isIdle } else { false }
    }

    var isClosing: Bool {
        if case .closing = phase { true } else { false }
    }

    /// Whether its consumer has ended, and all that it was given is settled and written.
    var isDone: Bool {
        if case .ended = phase { tracker.isEmpty && !hasFrames && channel.isIdle } else { false }
    }

    var hasFrames: Bool { !acknowledgements.isEmpty || !rejections.isEmpty }

    mutating func begin(_ consumer: Consumer) {
        self.consumer = consumer
        phase = .used
    }

    /// The consumer of that number gets nothing more: by our wish (no error), or the broker's.
    mutating func unsubscribed(_ number: UInt64, _ error: AMQPError?) {
        guard case .used = phase, let consumer, consumer.number == number else { return }
        phase = .ended
        consumer.buffer.finish(error)
    }

    /// - Returns: false when the broker's tag is out of order.
    mutating func delivered(_ tag: UInt64) -> Bool { tracker.delivered(tag) }

    mutating func settle(_ settlement: SettlementQueue.Settlement) {
        guard settlement.consumer == consumer?.number, !isClosing else { return }
        switch settlement.kind {
        case .acknowledge: tracker.acknowledge(settlement.tag)
        case .reject(let requeue): reject(settlement.tag, requeue: requeue)
        }
    }

    mutating func reject(_ tag: UInt64, requeue: Bool) {
        if tracker.reject(tag) { rejections.append(Rejection(tag: tag, requeue: requeue)) }
    }

    /// Turns what has been acknowledged this turn into frames.
    mutating func collect() { tracker.takeFrames(into: &acknowledgements) }

    mutating func framesWritten() {
        rejections.removeAll(keepingCapacity: true)
        acknowledgements.removeAll(keepingCapacity: true)
    }

    /// From now on nothing is settled; what has been is still written, before the channel is closed.
    mutating func beginClosing() {
        phase = .closing
        consumer?.activity.end(AMQPError(.closed))
        consumer?.buffer.finish(nil, dropping: true)
    }

    /// This life of the channel is over, and with it all delivery tags.
    mutating func ended(_ error: AMQPError?) {
        consumer?.activity.end(error ?? AMQPError(.closed))
        // Closed by this side: an end like any other.
        consumer?.buffer.finish(error?.code == .closed ? nil : error, dropping: true)
        consumer = nil
        phase = .free
        tracker = AckTracker()
        incoming = nil
        acknowledgements = []
        rejections = []
    }
}

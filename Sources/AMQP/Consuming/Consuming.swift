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

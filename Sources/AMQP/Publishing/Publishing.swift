/// The publishing side of a connection, on its thread: a channel for each exchange.
///
/// A channel that the broker closes (404, 403) takes with it what waits there for its confirm, and the broker does not say which of
/// it was taken. With a channel for each exchange that is only what was published to the exchange in question.
struct Publishing {
    /// In the order in which they were needed, so that a lane keeps its place and its channel.
    private(set) var lanes: [PublishLane] = []
    private var indices: [PublishLane.Kind: Int] = [:]
    /// Kept for its memory.
    var taken = PublishQueue.Content()

    /// Channels 1 and 2 are those of topology and consuming.
    private static let firstChannel: UInt16 = 3
    /// The broker grants 16 channels; what goes to more exchanges than that shares the first lane.
    private static let maximumExchanges = 11

    var isIdle: Bool { lanes.allSatisfy(\.isIdle) }
    var isWaiting: Bool { lanes.contains { !$0.waiting.isEmpty } }

    /// The earliest deadline of a call on a lane's channel.
    var callDeadline: MonotonicTime? { lanes.lazy.compactMap(\.channel.deadline).min() }

    mutating func add(_ request: PublishRequest) {
        lanes[index(of: request.isAlone ? .alone : .exchange(request.exchange))].waiting.append(request)
    }

    /// The lane whose channel has this number.
    func index(ofChannel number: UInt16) -> Int? {
        guard number >= Self.firstChannel, Int(number - Self.firstChannel) < lanes.count else { return nil }
        return Int(number - Self.firstChannel)
    }

    /// Works on one lane in place.
    mutating func withLane<Value>(_ index: Int, _ body: (inout PublishLane) -> Value) -> Value {
        body(&lanes[index])
    }

    mutating func cancel(_ ids: Set<UInt64>) {
        for index in lanes.indices { lanes[index].cancel(ids) }
    }

    /// - Returns: the earliest deadline that is left.
    mutating func expire(now: MonotonicTime) -> MonotonicTime? {
        var earliest: MonotonicTime?
        for index in lanes.indices {
            guard let deadline = lanes[index].expire(now: now) else { continue }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    mutating func giveUpOverdueCalls(_ now: MonotonicTime) {
        for index in lanes.indices { lanes[index].channel.giveUpOverdueCall(now) }
    }

    mutating func failAll(_ error: AMQPError) {
        for index in lanes.indices { lanes[index].failAll(error) }
    }

    private mutating func index(of kind: PublishLane.Kind) -> Int {
        if let index = indices[kind] { return index }
        let exchanges = lanes.count - (indices[.alone] == nil ? 0 : 1)
        guard kind == .alone || exchanges < Self.maximumExchanges else { return 0 }
        indices[kind] = lanes.count
        lanes.append(PublishLane(channel: Self.firstChannel + UInt16(lanes.count), isAlone: kind == .alone))
        return lanes.count - 1
    }
}

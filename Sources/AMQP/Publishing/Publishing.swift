/// The publishing side of a connection, on its thread: a channel for each exchange, and at the default exchange for each queue.
///
/// A channel that the broker closes (404, 403) takes with it what waits there for its confirm, and the broker does not say which of
/// it was taken. And RabbitMQ's channel stands still, with everything that is sent over it, while a quorum queue does not answer to its
/// first message, or has many unconfirmed ones. With a channel for each that concerns only what was published to the queue in question.
/// At other exchanges the messages of one channel keep their order, whatever their routing key.
///
/// A channel on which a message was refused is closed and opened anew. RabbitMQ 3.10's channel asks the node that led a quorum queue
/// when its first message came, and refuses all later ones, too, as long as that node is down, whoever leads the queue by then.
struct Publishing {
    /// In the order in which they were needed, so that a lane keeps its place and its channel.
    private(set) var lanes: [PublishLane] = []
    private var indices: [PublishLane.Kind: Int] = [:]
    /// Kept for its memory.
    var taken = PublishQueue.Content()

    /// Channel 1 is that of topology.
    private static let firstChannel: UInt16 = 2
    /// Each of them costs the broker a process, however many a connection may have.
    private static let most = 254
    private var maximum = 1
    private var lastUse: UInt64 = 0

    var isIdle: Bool { lanes.allSatisfy(\.isIdle) }
    var isWaiting: Bool { lanes.contains { !$0.waiting.isEmpty } }

    var isDueForRenewal: Bool { lanes.contains(where: \.isDueForRenewal) }

    /// The earliest deadline of a call on a lane's channel.
    var callDeadline: MonotonicTime? { lanes.lazy.compactMap(\.channel.deadline).min() }

    /// The lowest channel that is left to consumers: one is kept for what will be published.
    var firstUnused: UInt16 { Self.firstChannel + UInt16(max(lanes.count, 1)) }

    /// - Parameter channels: the number of the last one; above are those of consumers.
    mutating func grant(channels: Int) {
        maximum = max(min(channels + 1 - Int(Self.firstChannel), Self.most), 1)
    }

    mutating func add(_ request: PublishRequest) {
        lanes[index(of: PublishLane.Kind(of: request))].waiting.append(request)
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

    /// The lane of that kind: its own, a new one, or the one that has not been used for the longest time. Where all of them are in use,
    /// the first.
    private mutating func index(of kind: PublishLane.Kind) -> Int {
        lastUse += 1
        if let index = indices[kind] {
            lanes[index].lastUse = lastUse
            if !lanes[index].isStuck { return index }
            // What is behind it may work again, and would not be tried there. Its channel is used again should it come free.
            lanes[index].kind = nil
            indices[kind] = nil
        }
        let index: Int
        if lanes.count < maximum {
            index = lanes.count
            lanes.append(PublishLane(channel: Self.firstChannel + UInt16(index), kind))
        } else if let idle = lanes.indices.filter({ lanes[$0].isIdle && lanes[$0].channel.isIdle })
            .min(by: { lanes[$0].lastUse < lanes[$1].lastUse })
        {
            index = idle
            if let before = lanes[index].kind { indices[before] = nil }
            lanes[index].kind = kind
        } else {
            return 0
        }
        lanes[index].lastUse = lastUse
        indices[kind] = index
        return index
    }
}

extension PublishLane.Kind {
    fileprivate init(of request: PublishRequest) {
        guard !request.isAlone else {
            self = .alone
            return
        }
        let isApart = request.exchange.isEmpty || request.isApart
        self = .route(exchange: request.exchange, routingKey: isApart ? request.routingKey : nil)
    }
}

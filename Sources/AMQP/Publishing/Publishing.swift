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

/// The messages to one exchange, or of it with one routing key, on a channel of their own, on the connection's thread.
struct PublishLane {
    enum Kind: Hashable {
        case route(exchange: String, routingKey: String?)
        /// One message at a time, so that a channel that is closed tells which message the broker does not take.
        case alone
    }

    /// What the broker may have to confirm on one channel. It reads at most 400 messages ahead of a channel that waits for a queue,
    /// at least half of which it has just granted again; then it reads no more from the connection, and all channels stand still.
    private static let limit = 200
    /// Between two renewals, and how long one waits for what is unconfirmed.
    private static let renewalPause = Duration.milliseconds(250)
    private static let renewalPatience = Duration.seconds(1)

    private enum Renewal {
        case none
        /// Nothing more is written until everything is confirmed or the time is over.
        case draining(until: MonotonicTime)
        case closing
    }

    var channel: Channel
    /// Whose messages these are; `nil` where the channel is left to what it waits for.
    var kind: Kind?
    /// When it was last used, in the order of all uses.
    var lastUse: UInt64 = 0
    /// Taken over and not written yet: the channel is not open, the socket is full, or the broker is blocked.
    var waiting = FIFO<PublishRequest>()
    var window = ConfirmWindow()
    /// A returned message that is arriving.
    var incoming: IncomingContent?
    private var renewal = Renewal.none
    private var nextRenewal: MonotonicTime?

    init(channel number: UInt16, _ kind: Kind) {
        channel = Channel(number: number, withConfirms: true)
        self.kind = kind
    }

    var isIdle: Bool { waiting.isEmpty && window.isEmpty }

    /// Whether it is full of messages that nobody waits for any more.
    var isStuck: Bool { window.unconfirmed >= Self.limit && window.isGivenUp && waiting.isEmpty }

    /// Whether another message may be written now.
    var mayWrite: Bool {
        guard case .none = renewal else { return false }
        return channel.phase == .open && !waiting.isEmpty && window.unconfirmed < (kind == .alone ? 1 : Self.limit)
    }

    /// Whether the channel is to be closed now, so that the next message opens it anew.
    var isDueForRenewal: Bool {
        guard case .draining = renewal else { return false }
        return window.isEmpty && channel.phase == .open && channel.isIdle
    }

    /// The broker has refused a message, perhaps only on this channel (``Publishing``).
    ///
    /// - Returns: how long the channel's renewal waits for what is unconfirmed; nil where there is none.
    mutating func refused(now: MonotonicTime) -> MonotonicTime? {
        guard case .none = renewal, channel.phase == .open, nextRenewal.map({ $0 <= now }) ?? true else { return nil }
        let deadline = now.advanced(by: Self.renewalPatience)
        renewal = .draining(until: deadline)
        nextRenewal = now.advanced(by: Self.renewalPause)
        return deadline
    }

    mutating func close(_ step: Call.Step) {
        renewal = .closing
        channel.add(Call([step], deadline: Call.deadline(), continuation: nil))
    }

    mutating func cancel(_ ids: Set<UInt64>) {
        for request in waiting.extract(where: { ids.contains($0.id) }) {
            request.answer(.failure(AMQPError(.cancelled)))
        }
        window.cancel(ids)
    }

    /// - Returns: the earliest deadline that is left.
    mutating func expire(now: MonotonicTime) -> MonotonicTime? {
        for request in waiting.extract(where: { ($0.deadline ?? .distantFuture) <= now }) {
            request.answer(.failure(AMQPError(.confirmTimeout)))
        }
        var earliest = window.expire(now: now)
        if case .draining(let deadline) = renewal {
            // What is confirmed by nobody must not hold up the others.
            if deadline <= now { renewal = .none } else { earliest = min(earliest ?? deadline, deadline) }
        }
        waiting.forEach { request in
            guard let deadline = request.deadline else { return }
            earliest = min(earliest ?? deadline, deadline)
        }
        return earliest
    }

    /// Takes the next message that waits, under the next sequence number: before it is written, for were the write to fail, some of
    /// it may have been sent.
    mutating func next() -> PublishRequest? {
        guard mayWrite, let request = waiting.popFirst() else { return nil }
        window.append(request)
        return request
    }

    /// The channel is closed, by the broker or for its renewal.
    mutating func closed(_ error: AMQPError) {
        channel.closed(error)
        renewal = .none
        incoming = nil
        window.failAll(error)
    }

    /// Those written have an unknown outcome, the others have not.
    mutating func failAll(_ error: AMQPError) {
        renewal = .none
        window.failAll(error)
        channel.failAll(error)
        for request in waiting.removeAll() { request.answer(.failure(error)) }
    }
}

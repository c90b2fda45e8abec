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

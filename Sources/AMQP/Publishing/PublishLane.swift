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

    init(channel number: UInt16, _ kind: Kind) {
        channel = Channel(number: number, withConfirms: true)
        self.kind = kind
    }

    var isIdle: Bool { waiting.isEmpty && window.isEmpty }

    /// Whether it is full of messages that nobody waits for any more.
    var isStuck: Bool { window.unconfirmed >= Self.limit && window.isGivenUp && waiting.isEmpty }

    /// Whether another message may be written now.
    var mayWrite: Bool {
        channel.phase == .open && !waiting.isEmpty && window.unconfirmed < (kind == .alone ? 1 : Self.limit)
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

    /// The broker has closed the channel.
    mutating func closed(_ error: AMQPError) {
        channel.closed(error)
        incoming = nil
        window.failAll(error)
    }

    /// Those written have an unknown outcome, the others have not.
    mutating func failAll(_ error: AMQPError) {
        window.failAll(error)
        channel.failAll(error)
        for request in waiting.removeAll() { request.answer(.failure(error)) }
    }
}

/// The publishing side of a connection, on its thread.
struct Publishing {
    var channel = Channel(number: 2, withConfirms: true)
    /// Taken over and not written yet: the channel is not open, the socket is full, or the broker is blocked.
    var waiting = FIFO<PublishRequest>()
    var window = ConfirmWindow()
    /// A returned message that is arriving.
    var incoming: IncomingContent?
    /// Kept for its memory.
    var taken = PublishQueue.Content()

    var isIdle: Bool { waiting.isEmpty && window.isEmpty }

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

    /// Those written have an unknown outcome, the others have not.
    mutating func failAll(_ error: AMQPError) {
        window.failAll(error)
        channel.failAll(error)
        for request in waiting.removeAll() { request.answer(.failure(error)) }
    }
}

import Synchronization

/// What a consumer has been given, how much of it is not settled yet, and why nothing can be settled any more.
final class ConsumerActivity: Sendable {
    struct State: Sendable {
        /// Deliveries so far.
        var deliveries: UInt64 = 0
        var unsettled = 0
        /// When the last one came, or the subscription began.
        var lastSign = ContinuousClock.now
        /// Its channel has ended.
        var end: AMQPError?
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    /// - Returns: now.
    func delivered() -> ContinuousClock.Instant {
        let now = ContinuousClock.now
        state.withLock { state in
            state.deliveries += 1
            state.unsettled += 1
            state.lastSign = now
        }
        return now
    }

    /// - Throws: why the channel has ended.
    func settled() throws(AMQPError) {
        let end = state.withLock { state in
            state.unsettled -= 1
            return state.end
        }
        if let end { throw end }
    }

    /// Only the first cause counts.
    func end(_ error: AMQPError) { state.withLock { $0.end = $0.end ?? error } }
}

import Synchronization

/// What a consumer has been given, and how much of it is not settled yet.
final class ConsumerActivity: Sendable {
    struct State: Sendable {
        /// Deliveries so far.
        var deliveries: UInt64 = 0
        var unsettled = 0
        /// When the last one came, or the subscription began.
        var lastSign = ContinuousClock.now
    }

    private let state = Mutex(State())

    var current: State { state.withLock { $0 } }

    func delivered() {
        let now = ContinuousClock.now
        state.withLock { state in
            state.deliveries += 1
            state.unsettled += 1
            state.lastSign = now
        }
    }

    func settled() { state.withLock { $0.unsettled -= 1 } }
}

import Synchronization
import ThreadExecutor

/// Where callers on any thread leave the settlements of a connection's deliveries.
final class SettlementQueue: Sendable {
    struct Settlement {
        enum Kind {
            case acknowledge
            case reject(requeue: Bool)
        }

        /// Of the channel and the consumer that the delivery came by: its tag means nothing to another one.
        let lane: Int
        let consumer: UInt64
        let tag: UInt64
        let kind: Kind
    }

    private struct State {
        var settlements: [Settlement] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    private let executor: ThreadExecutor

    init(executor: ThreadExecutor) {
        self.executor = executor
    }

    func add(_ settlement: Settlement) {
        let isFirst = state.withLock { state in
            guard !state.isClosed else { return false }
            defer { state.settlements.append(settlement) }
            return state.settlements.isEmpty
        }
        if isFirst { executor.wake() }
    }

    /// Swaps the content against an empty array, whose memory is used again.
    func take(into settlements: inout [Settlement]) {
        state.withLock { swap(&$0.settlements, &settlements) }
    }

    func close() {
        state.withLock { state in
            state.isClosed = true
            state.settlements = []
        }
    }
}

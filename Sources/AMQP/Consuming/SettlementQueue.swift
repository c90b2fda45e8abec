import Synchronization
import ThreadExecutor

/// Where callers on any thread leave the settlements of one life of the consuming channel. Delivery tags mean nothing
/// beyond that life, so neither does this queue.
final class SettlementQueue: Sendable {
    enum Settlement {
        case acknowledge(UInt64)
        case reject(UInt64, requeue: Bool)
    }

    private struct State {
        var settlements: [Settlement] = []
        var failure: AMQPError?
    }

    private let state = Mutex(State())
    private let executor: ThreadExecutor

    init(executor: ThreadExecutor) {
        self.executor = executor
    }

    func add(_ settlement: Settlement) throws(AMQPError) {
        let (failure, isFirst) = state.withLock { state -> (AMQPError?, Bool) in
            if let failure = state.failure { return (failure, false) }
            defer { state.settlements.append(settlement) }
            return (nil, state.settlements.isEmpty)
        }
        if let failure { throw failure }
        if isFirst { executor.wake() }
    }

    /// Swaps the content against an empty array, whose memory is used again.
    func take(into settlements: inout [Settlement]) {
        state.withLock { swap(&$0.settlements, &settlements) }
    }

    func close(_ failure: AMQPError) {
        state.withLock { state in
            state.failure = failure
            state.settlements = []
        }
    }
}

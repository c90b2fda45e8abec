import Core
import Synchronization

/// Turns many small calls into few large ones: whatever arrives while a flush is under way becomes the next flush. So nothing
/// waits for a timer when there is little to do, and the cost per item falls when there is much (group commit).
final class Coalescer<Item: Sendable, Answer: Sendable>: Sendable {
    typealias Outcome = Result<Answer, StoreError>
    /// Answers every item, in order.
    typealias Flush = @Sendable ([Item]) async -> [Outcome]

    private struct State {
        var items: [Item] = []
        /// Of the items, in order.
        var callers: [CheckedContinuation<Outcome, Never>] = []
        var flushesUnderWay = 0
    }

    private struct Batch {
        var items: [Item]
        var callers: [CheckedContinuation<Outcome, Never>]
    }

    private let batchLimit: Int
    private let flushLimit: Int
    private let executor: (any TaskExecutor)?
    private let flush: Flush
    private let state = Mutex(State())

    /// - Parameters:
    ///   - batchLimit: the most items of one flush.
    ///   - flushLimit: the most flushes at a time: as many as there are connections for them.
    ///   - executor: where flushes run: where most callers do, whom they need not wake then.
    init(batchLimit: Int, flushLimit: Int, on executor: (any TaskExecutor)? = nil, flush: @escaping Flush) {
        self.executor = executor
        self.batchLimit = batchLimit
        self.flushLimit = flushLimit
        self.flush = flush
    }

    /// Returns when the flush that the item was in has ended. How many may wait is bounded by the callers: each waits here.
    nonisolated(nonsending) func submit(_ item: Item) async throws(StoreError) -> Answer {
        let outcome = await withCheckedContinuation { caller in
            let startsFlush = state.withLock { state in
                state.items.append(item)
                state.callers.append(caller)
                guard state.flushesUnderWay < flushLimit else { return false }
                state.flushesUnderWay += 1
                return true
            }
            if startsFlush { Task(executorPreference: executor) { await self.flushUntilEmpty() } }
        }
        return try outcome.get()
    }

    /// As `submit`, but returns when the task is cancelled, too. What was submitted may be done all the same.
    nonisolated(nonsending) func submitWhileWanted(_ item: Item) async throws(StoreError) -> Answer {
        let (outcomes, ending) = AsyncStream<Outcome>.makeStream()
        Task {
            do throws(StoreError) {
                ending.yield(.success(try await submit(item)))
            } catch {
                ending.yield(.failure(error))
            }
        }
        for await outcome in outcomes { return try outcome.get() }
        throw StoreError(.unavailable, detail: "cancelled", outcomeUnknown: true)
    }

    private func flushUntilEmpty() async {
        while let batch = nextBatch() {
            let outcomes = await flush(batch.items)
            for (caller, outcome) in zip(batch.callers, outcomes) { caller.resume(returning: outcome) }
        }
    }

    /// `nil` where nothing waits: then this flush is over.
    private func nextBatch() -> Batch? {
        state.withLock { state in
            if state.items.count > batchLimit {
                let batch = Batch(
                    items: Array(state.items[..<batchLimit]),
                    callers: Array(state.callers[..<batchLimit])
                )
                state.items.removeFirst(batchLimit)
                state.callers.removeFirst(batchLimit)
                return batch
            }
            guard !state.items.isEmpty else {
                state.flushesUnderWay -= 1
                return nil
            }
            let batch = Batch(items: state.items, callers: state.callers)
            state.items = []
            state.callers = []
            return batch
        }
    }
}

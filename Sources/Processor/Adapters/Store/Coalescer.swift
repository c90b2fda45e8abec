import Core

/// Turns many small calls into few large ones: whatever arrives while a flush is under way becomes the next flush. So nothing
/// waits for a timer when there is little to do, and the cost per item falls when there is much (group commit).
actor Coalescer<Item: Sendable, Answer: Sendable> {
    typealias Outcome = Result<Answer, StoreError>
    /// Answers every item, in order.
    typealias Flush = @Sendable ([Item]) async -> [Outcome]

    private struct Entry {
        let item: Item
        let continuation: CheckedContinuation<Outcome, Never>
    }

    private let batchLimit: Int
    private let flushLimit: Int
    private let flush: Flush
    private var waiting: [Entry] = []
    private var flushesUnderWay = 0

    /// - Parameters:
    ///   - batchLimit: the most items of one flush.
    ///   - flushLimit: the most flushes at a time: as many as there are connections for them.
    init(batchLimit: Int, flushLimit: Int, flush: @escaping Flush) {
        self.batchLimit = batchLimit
        self.flushLimit = flushLimit
        self.flush = flush
    }

    /// Returns when the flush that the item was in has ended. How many may wait is bounded by the callers: each waits here.
    func submit(_ item: Item) async throws(StoreError) -> Answer {
        let outcome = await withCheckedContinuation { continuation in
            waiting.append(Entry(item: item, continuation: continuation))
            startFlush()
        }
        return try outcome.get()
    }

    private func startFlush() {
        guard flushesUnderWay < flushLimit, !waiting.isEmpty else { return }
        flushesUnderWay += 1
        Task { await flushUntilEmpty() }
    }

    private func flushUntilEmpty() async {
        while !waiting.isEmpty {
            let batch = Array(waiting.prefix(batchLimit))
            waiting.removeFirst(batch.count)
            let outcomes = await flush(batch.map(\.item))
            for (entry, outcome) in zip(batch, outcomes) { entry.continuation.resume(returning: outcome) }
        }
        flushesUnderWay -= 1
    }
}

import Core
import Postgres
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

/// Runs a batch in one transaction, and its items one by one where the batch as a whole is refused: a bad row must not fail its
/// neighbours.
struct BatchRunner: Sendable {
    let pool: PostgresPool
    let purpose: StoreWork
    /// Gets the end of each transaction that decides about its items.
    let report: @Sendable (StoreReport) -> Void

    typealias Work<Item, Answer> = @Sendable (isolated PostgresConnection, [Item]) throws(PostgresError) -> [Answer]

    /// Deadlocks and conflicts are tried again at once, this often.
    private static let tries = 5

    func run<Item: WorkOfCommand, Answer: Sendable>(
        _ items: [Item],
        _ work: @escaping Work<Item, Answer>
    ) async -> [Result<Answer, StoreError>] {
        do throws(StoreError) {
            return try await transaction(items, work).map(Result.success)
        } catch  where error.code == .unavailable || items.count == 1 {
            return items.map { _ in .failure(error) }
        } catch {
            var results: [Result<Answer, StoreError>] = []
            for item in items { results += await run([item], work) }
            return results
        }
    }

    private func transaction<Item: WorkOfCommand, Answer: Sendable>(
        _ items: [Item],
        _ work: @escaping Work<Item, Answer>
    ) async throws(StoreError) -> [Answer] {
        for _ in 0..<Self.tries {
            do throws(PostgresError) {
                let answers = try await pool.transaction { connection throws(PostgresError) in
                    try work(connection, items)
                }
                report(.done(purpose))
                return answers
            } catch  where error.isConflict {
                continue
            } catch {
                let failure = StoreError(error, while: purpose.rawValue)
                // A batch that is refused says nothing about its items: each is tried alone.
                if failure.code == .unavailable || items.count == 1 {
                    report(.failed(purpose, Set(items.map(\.subject)), failure))
                }
                throw failure
            }
        }
        throw StoreError(.unavailable, detail: "conflict")
    }
}

extension PostgresError {
    /// Others wrote the same rows at the same moment: everything was rolled back, and is decided anew on what they left.
    fileprivate var isConflict: Bool {
        isDeadlockDetected || isSerializationFailure
            || isUniqueViolation && ["payments_pkey", "operations_pkey"].contains(constraintName)
    }
}

/// How a transaction has ended.
enum StoreReport: Sendable {
    case done(StoreWork)
    /// With the commands that it was about.
    case failed(StoreWork, Set<StoredCommand>, StoreError)
}

/// What a batch is for, in words for those who read of its failure.
enum StoreWork: String, Sendable, CaseIterable {
    case claims = "claiming operations"
    case registrations = "noting waiting commands"
    case endings = "writing results"
}

/// What the database is asked to write about one command.
protocol WorkOfCommand: Sendable {
    var subject: StoredCommand { get }
}

/// What tells a command from others in the database.
struct StoredCommand: Hashable, Sendable {
    let merchantID: MerchantID
    let idempotencyKey: IdempotencyKey
}

extension Command: WorkOfCommand {
    var subject: StoredCommand { StoredCommand(merchantID: merchantID, idempotencyKey: idempotencyKey) }
}

extension ClaimRequest: WorkOfCommand {
    var subject: StoredCommand { command.subject }
}

extension OperationEnding: WorkOfCommand {
    var subject: StoredCommand {
        let operation =
            switch self {
            case .result(let result): result.operation
            case .notified(let note): note.operation
            }
        return StoredCommand(merchantID: operation.merchantID, idempotencyKey: operation.idempotencyKey)
    }
}

/// What the end of an operation writes: first the result, later the note that it was reported.
indirect enum OperationEnding: Sendable {
    case result(OperationResult)
    case notified(NotificationRecord)

    var result: OperationResult? {
        if case .result(let result) = self { return result }
        return nil
    }

    var notified: NotificationRecord? {
        if case .notified(let note) = self { return note }
        return nil
    }
}

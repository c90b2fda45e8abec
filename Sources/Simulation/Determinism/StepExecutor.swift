import Synchronization

/// Runs tasks one job at a time on the thread that asks for it, and moves a virtual clock on when none is left to run: what
/// takes hours in the world takes no time here, and is the same for the same seed.
package final class StepExecutor: TaskExecutor {
    private struct State {
        var jobs: [UnownedJob] = []
        /// Before it, everything has been taken.
        var first = 0
        var generator: SplitMix64?
        var steps = 0

        /// In arrival order without a generator, in any order with one.
        mutating func take() -> UnownedJob? {
            guard first < jobs.count else { return nil }
            steps += 1
            if generator != nil {
                let position = Int((generator?.next() ?? 0) % UInt64(jobs.count))
                jobs.swapAt(position, jobs.count - 1)
                return jobs.removeLast()
            }
            defer {
                first += 1
                if first == jobs.count {
                    jobs.removeAll(keepingCapacity: true)
                    first = 0
                }
            }
            return jobs[first]
        }
    }

    /// Why a run ended before its work did.
    package enum Stalled: Error {
        /// Nothing is left to run and nobody sleeps: the work waits forever.
        case nothingToRun
        /// More jobs than the limit.
        case tooManySteps
    }

    private let state: Mutex<State>

    /// - Parameter seed: decides which job runs next; `nil` runs them in arrival order.
    package init(seed: UInt64? = nil) {
        state = Mutex(State(generator: seed.map { SplitMix64(seed: $0) }))
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        state.withLock { $0.jobs.append(job) }
    }

    /// The jobs run so far.
    package var steps: Int { state.withLock { $0.steps } }

    /// Runs the work and everything that it starts, until the work is done.
    ///
    /// - Throws: what the work throws, or ``Stalled``.
    package func run<Value: Sendable>(
        in time: VirtualTime,
        stepLimit: Int = 10_000_000,
        _ work: @escaping @Sendable () async throws -> Value
    ) throws -> Value {
        let outcome = Outcome<Value>()
        let task = Task(executorPreference: self) {
            do { outcome.set(.success(try await work())) } catch { outcome.set(.failure(error)) }
        }
        defer { task.cancel() }
        for _ in 0..<stepLimit {
            if let result = outcome.get() { return try result.get() }
            if let job = state.withLock({ $0.take() }) {
                job.runSynchronously(on: asUnownedTaskExecutor())
            } else if !time.wakeNext() {
                throw Stalled.nothingToRun
            }
        }
        throw Stalled.tooManySteps
    }
}

private final class Outcome<Value: Sendable>: Sendable {
    private let result = Mutex<Result<Value, any Error>?>(nil)

    func set(_ value: Result<Value, any Error>) { result.withLock { $0 = value } }

    func get() -> Result<Value, any Error>? { result.withLock { $0 } }
}

/// The thread's way back to its executor, which does not keep the executor alive.
struct WeakExecutor: Sendable {
    weak let executor: ThreadExecutor?

    init(_ executor: ThreadExecutor) {
        self.executor = executor
    }
}

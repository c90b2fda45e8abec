import Synchronization

/// One executor's turns on its loop: the hook, and whether the next turn is due.
final class ExecutorTurns: Sendable {
    typealias Body = ThreadExecutor.TurnHook

    /// A function alone would be wrapped once more each time that the lock is taken: a generic lock has another idea of how to call it.
    private struct State {
        var body: Body?
    }

    private let state = Mutex(State())
    private let due = Atomic(false)

    var current: Body? { state.withLock { $0.body } }

    func set(_ new: Body?) {
        // The old hook is released outside the lock: it may hold the last reference to something that enqueues.
        let previous = state.withLock { state in
            defer { state.body = new }
            return state.body
        }
        withExtendedLifetime(previous) {}
    }

    var isDue: Bool { due.load(ordering: .sequentiallyConsistent) }

    func demand() { due.store(true, ordering: .sequentiallyConsistent) }

    /// - Returns: whether it was due.
    func take() -> Bool { due.exchange(false, ordering: .sequentiallyConsistent) }
}

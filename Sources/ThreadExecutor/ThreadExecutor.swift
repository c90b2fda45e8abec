import Glibc
import Synchronization

/// A serial executor at home on one POSIX thread: the home of an actor that owns a C handle.
///
/// C libraries such as librabbitmq and libpq want one thread per connection, and some block inside their calls; the cooperative
/// pool may not be blocked. An actor whose `unownedExecutor` is a `ThreadExecutor` runs all its code on that thread. The thread is
/// its own, where its code blocks; or a loop's that several share, where it does not.
///
/// Its *turn* is taken after its jobs, when its descriptor is ready, when its time has come, or when it is asked for by `wake()`:
/// then its turn hook, if there is one, does what there is to do, without blocking, and says what to wait for.
///
/// The thread ends after the last reference to all executors on it is gone; jobs hold the actor, and the actor holds the executor, so
/// that no job is ever lost by that.
package final class ThreadExecutor: SerialExecutor {
    /// One turn.
    ///
    /// `isDue` says whether the wait that it ended with the last time is over: its descriptor is ready, or its time has come. It is
    /// false where the turn is only asked for.
    package typealias TurnHook = @Sendable (_ isDue: Bool) -> TurnWait

    private let loop: EventLoop
    private let turns = ExecutorTurns()

    /// Runs one of its jobs, on its thread. A turn follows.
    func run(_ job: UnownedJob) {
        job.runSynchronously(on: asUnownedSerialExecutor())
        turns.demand()
    }

    /// On a thread of its own.
    ///
    /// - Parameter name: shown by debuggers and `top -H`; the kernel keeps the first 15 bytes.
    /// - Throws: `ThreadExecutorError` when the process is out of threads or descriptors.
    package convenience init(name: String) throws(ThreadExecutorError) {
        self.init(on: try EventLoop(name: name))
    }

    /// On the thread of that loop.
    package init(on loop: EventLoop) {
        self.loop = loop
        loop.thread.add(turns)
    }

    deinit {
        loop.thread.remove(turns)
    }

    /// Installs (or with `nil` removes) the hook of every later turn. It runs on this executor's thread.
    package func setTurnHook(_ hook: TurnHook?) {
        turns.set(hook)
        wake()
    }

    /// Asks for a turn, for work that waits in a queue of the hook's own. Fill the queue first: a turn that is being taken may have looked
    /// at it already, the next one has not. Cheap while the thread is awake.
    package func wake() {
        turns.demand()
        loop.thread.wake()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        loop.thread.enqueue(LoopJob(job: UnownedJob(job), home: .actor(self)))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Lets `assumeIsolated` succeed inside a turn hook, which runs on the thread, yet outside any job.
    package func checkIsolated() {
        precondition(loop.thread.isCurrent, "not on the thread of this executor")
    }
}

/// Why a thread could not be started. `errno` names the reason of the operating system.
package enum ThreadExecutorError: Error, Equatable, CustomStringConvertible {
    case noWakeDescriptor(errno: Int32)
    case noThread(errno: Int32)

    package var description: String {
        switch self {
        case .noWakeDescriptor(let errno): "cannot create an event descriptor (errno \(errno))"
        case .noThread(let errno): "cannot start a thread (errno \(errno))"
        }
    }
}

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

/// What a turn ends with: when the next one is due at the latest, unless `ThreadExecutor.wake()` or a job of the executor asks for it.
package struct TurnWait: Sendable {
    /// -1 for none.
    package var descriptor: Int32
    /// The events of `poll` that end the wait.
    package var events: Int16
    /// -1: as long as it takes.
    package var milliseconds: Int32

    package init(descriptor: Int32 = -1, events: Int16 = Int16(POLLIN), milliseconds: Int32 = -1) {
        self.descriptor = descriptor
        self.events = events
        self.milliseconds = milliseconds
    }

    /// There is more to do at once.
    package static let none = TurnWait(milliseconds: 0)
    /// Until it is asked for.
    package static let forever = TurnWait()
}

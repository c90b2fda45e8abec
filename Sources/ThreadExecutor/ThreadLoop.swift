import Glibc
import Synchronization

/// The thread, its queue of jobs and the descriptor that wakes it.
final class ThreadLoop: Sendable {
    private struct State {
        var jobs: [UnownedJob] = []
        var isSleeping = false
        var isStopping = false
        var hook: ThreadExecutor.TurnHook?
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    private let wakePipe: WakePipe

    init() throws(ThreadExecutorError) {
        wakePipe = try WakePipe()
    }

    var wakeDescriptor: Int32 { wakePipe.readEnd }

    var isCurrentThread: Bool {
        state.withLock { state in
            state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
        }
    }

    func start(name: String, executor: WeakExecutor) throws(ThreadExecutorError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(ThreadStart(loop: self, name: name, executor: executor))
        var thread = pthread_t()
        let result = pthread_create(
            &thread,
            &attributes,
            { context in
                guard let context else { return nil }
                Unmanaged<ThreadStart>.fromOpaque(context).takeRetainedValue().run()
                return nil
            },
            context.toOpaque()
        )
        guard result == 0 else {
            context.release()
            throw .noThread(errno: result)
        }
    }

    func setTurnHook(_ hook: ThreadExecutor.TurnHook?) {
        // The old hook is released outside the lock: it may hold the last reference to something that enqueues.
        let previous = state.withLock { state in
            let previous = state.hook
            state.hook = hook
            return previous
        }
        withExtendedLifetime(previous) {}
        wake(onlyIfSleeping: false)
    }

    func enqueue(_ job: UnownedJob) {
        state.withLock { $0.jobs.append(job) }
        wake(onlyIfSleeping: true)
    }

    func wake() {
        wake(onlyIfSleeping: true)
    }

    func stop() {
        state.withLock { $0.isStopping = true }
        wake(onlyIfSleeping: false)
    }

    /// The body of the thread.
    func run(executor: WeakExecutor) {
        state.withLock { $0.thread = pthread_self() }
        var batch: [UnownedJob] = []
        while takeJobs(into: &batch) {
            runJobs(&batch, executor: executor)
            let (hook, mayBlock) = state.withLock { state in
                state.isSleeping = state.jobs.isEmpty && !state.isStopping
                return (state.hook, state.isSleeping)
            }
            if let hook {
                hook(mayBlock)
            } else if mayBlock {
                sleepUntilWoken()
            }
            awake()
        }
    }

    private func takeJobs(into batch: inout [UnownedJob]) -> Bool {
        state.withLock { state in
            swap(&state.jobs, &batch)
            return !(batch.isEmpty && state.isStopping)
        }
    }

    private func runJobs(_ batch: inout [UnownedJob], executor: WeakExecutor) {
        // Held for the whole round: the last job may drop the last other reference.
        guard !batch.isEmpty, let executor = executor.executor else { return }
        let unowned = executor.asUnownedSerialExecutor()
        for job in batch { job.runSynchronously(on: unowned) }
        batch.removeAll(keepingCapacity: true)
    }

    private func sleepUntilWoken() {
        var descriptor = pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(&descriptor, 1, -1)
    }

    private func awake() {
        state.withLock { $0.isSleeping = false }
        wakePipe.empty()
    }

    private func wake(onlyIfSleeping: Bool) {
        let needed = state.withLock { state in
            let needed = state.isSleeping || !onlyIfSleeping
            state.isSleeping = false
            return needed
        }
        if needed { wakePipe.signal() }
    }
}

/// What the new thread takes over from the one that starts it.
private final class ThreadStart {
    let loop: ThreadLoop
    let name: String
    let executor: WeakExecutor

    init(loop: ThreadLoop, name: String, executor: WeakExecutor) {
        self.loop = loop
        self.name = name
        self.executor = executor
    }

    func run() {
        nameThread()
        loop.run(executor: executor)
    }

    /// By way of /proc, because Swift does not import the GNU extension `pthread_setname_np`.
    private func nameThread() {
        let file = open("/proc/thread-self/comm", O_WRONLY | O_CLOEXEC)
        guard file >= 0 else { return }
        let bytes = Array(name.utf8.prefix(15))
        _ = write(file, bytes, bytes.count)
        close(file)
    }
}

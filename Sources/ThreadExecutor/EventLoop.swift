import Glibc
import Synchronization

/// One POSIX thread that runs the jobs of any number of executors and watches their descriptors.
///
/// What is at home on one loop hands over to one another without waking a thread: for a command that is read, sent to the bank and
/// answered in a millisecond, waking costs more than the work. As a task executor it runs tasks between the turns of its executors.
/// None of what runs on it may block. The thread ends after the last reference to the loop is gone.
package final class EventLoop: TaskExecutor {
    let thread: LoopThread

    /// Starts the thread.
    ///
    /// - Parameter name: shown by debuggers and `top -H`; the kernel keeps the first 15 bytes.
    /// - Throws: `ThreadExecutorError` when the process is out of threads or descriptors.
    package init(name: String) throws(ThreadExecutorError) {
        thread = try LoopThread()
        try thread.start(name: name)
    }

    deinit {
        thread.stop()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        thread.enqueue(LoopJob(job: UnownedJob(job), home: .task(self)))
    }

    package func asUnownedTaskExecutor() -> UnownedTaskExecutor { UnownedTaskExecutor(ordinary: self) }
}

/// A job with what keeps its executor alive: the job may drop the last other reference.
struct LoopJob {
    enum Home {
        case task(EventLoop)
        case actor(ThreadExecutor)
    }

    let job: UnownedJob
    let home: Home

    func run() {
        switch home {
        case .task(let loop): job.runSynchronously(on: loop.asUnownedTaskExecutor())
        case .actor(let executor): executor.run(job)
        }
    }
}

/// The thread of a loop, its queue of jobs, and the descriptor that wakes it.
final class LoopThread: Sendable {
    private struct State {
        var jobs: [LoopJob] = []
        var isSleeping = false
        var isStopping = false
        var turns: [ExecutorTurns] = []
        /// Counts the changes of `turns`.
        var version = 0
        var thread: pthread_t?
    }

    private let state = Mutex(State())
    private let wakePipe: WakePipe

    init() throws(ThreadExecutorError) {
        wakePipe = try WakePipe()
    }

    var isCurrent: Bool {
        state.withLock { state in
            state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false
        }
    }

    func start(name: String) throws(ThreadExecutorError) {
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setdetachstate(&attributes, Int32(PTHREAD_CREATE_DETACHED))
        let context = Unmanaged.passRetained(ThreadStart(thread: self, name: name))
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

    func add(_ turns: ExecutorTurns) {
        state.withLock { state in
            state.turns.append(turns)
            state.version += 1
        }
    }

    func remove(_ turns: ExecutorTurns) {
        state.withLock { state in
            state.turns.removeAll { $0 === turns }
            state.version += 1
        }
        wake()
    }

    /// How many executors are at home here.
    var turnCount: Int { state.withLock { $0.turns.count } }

    func enqueue(_ job: LoopJob) {
        wake { $0.jobs.append(job) }
    }

    func wake() {
        wake { _ in }
    }

    func stop() {
        wake { $0.isStopping = true }
    }

    private func wake(_ change: (inout State) -> Void) {
        let needed = state.withLock { state in
            change(&state)
            defer { state.isSleeping = false }
            return state.isSleeping
        }
        if needed { wakePipe.signal() }
    }

    /// The body of the thread.
    func run() {
        state.withLock { $0.thread = pthread_self() }
        var jobs: [LoopJob] = []
        var watch = LoopWatch(wakeDescriptor: wakePipe.readEnd)
        while takeJobs(into: &jobs) {
            for job in jobs { job.run() }
            jobs.removeAll(keepingCapacity: true)
            follow(&watch)
            watch.takeTurns()
            let maySleep = fallAsleep(watch)
            // With something to do: only a look, so that what comes from outside has its turn.
            if watch.wait(mayBlock: maySleep) { wakePipe.empty() }
            state.withLock { $0.isSleeping = false }
        }
    }

    private func takeJobs(into jobs: inout [LoopJob]) -> Bool {
        state.withLock { state in
            swap(&state.jobs, &jobs)
            return !(jobs.isEmpty && state.isStopping)
        }
    }

    private func follow(_ watch: inout LoopWatch) {
        let current = state.withLock { $0.version == watch.version ? nil : ($0.turns, $0.version) }
        if let (turns, version) = current { watch.follow(turns, version) }
    }

    /// - Returns: false where there is something to do at once.
    private func fallAsleep(_ watch: borrowing LoopWatch) -> Bool {
        let isAsleep = state.withLock { state in
            state.isSleeping = state.jobs.isEmpty && !state.isStopping && state.version == watch.version
            return state.isSleeping
        }
        // Who demands a turn from now on wakes the thread.
        return isAsleep && !watch.hasDemand
    }
}

/// What the new thread takes over from the one that starts it.
private final class ThreadStart {
    let thread: LoopThread
    let name: String

    init(thread: LoopThread, name: String) {
        self.thread = thread
        self.name = name
    }

    func run() {
        nameThread()
        thread.run()
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

/// A pipe that carries nothing but "look at your queue". Both ends never block: a full pipe has been signalled enough.
struct WakePipe: ~Copyable, Sendable {
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(ThreadExecutorError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw .noWakeDescriptor(errno: errno) }
        for end in ends {
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
        }
        readEnd = ends[0]
        writeEnd = ends[1]
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    func signal() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

    func empty() {
        withUnsafeTemporaryAllocation(byteCount: 64, alignment: 1) { buffer in
            while read(readEnd, buffer.baseAddress, buffer.count) == buffer.count {}
        }
    }
}

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

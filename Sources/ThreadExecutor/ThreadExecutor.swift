import Glibc
import Synchronization

/// A serial executor that is one POSIX thread: the home of an actor that owns a C handle.
///
/// C libraries such as librabbitmq and libpq want one thread per connection and block inside their calls; the cooperative
/// pool may not be blocked. An actor whose `unownedExecutor` is a `ThreadExecutor` runs all its code on that thread.
///
/// A *turn* of the thread is: run every job that is waiting, then call the turn hook, if there is one, which may block
/// until its own descriptors or `wakeDescriptor` are readable. Without a hook the thread sleeps until there is a job.
///
/// The thread ends after the executor's last reference is gone; jobs hold the actor, and the actor holds the executor, so
/// that no job is ever lost by that.
package final class ThreadExecutor: SerialExecutor {
    /// What the thread does between two rounds of jobs.
    ///
    /// `mayBlock` is false when jobs are waiting already: look at the sockets, but return at once. When it is true, return
    /// no later than `wakeDescriptor` becomes readable; the executor empties it itself.
    package typealias TurnHook = @Sendable (_ mayBlock: Bool) -> Void

    private let loop: ThreadLoop

    /// Starts the thread.
    ///
    /// - Parameter name: shown by debuggers and `top -H`; the kernel keeps the first 15 bytes.
    /// - Throws: `ThreadExecutorError` when the process is out of threads or descriptors.
    package init(name: String) throws(ThreadExecutorError) {
        loop = try ThreadLoop()
        try loop.start(name: name, executor: WeakExecutor(self))
    }

    deinit {
        loop.stop()
    }

    /// Readable when a job has been enqueued while the thread was inside a blocking turn hook.
    package var wakeDescriptor: Int32 { loop.wakeDescriptor }

    /// Installs (or with `nil` removes) the hook of every later turn. It runs on this executor's thread.
    package func setTurnHook(_ hook: TurnHook?) {
        loop.setTurnHook(hook)
    }

    /// Makes the thread take another turn, for work that waits in a queue of the hook's own. Fill the queue first: the turn
    /// that is being taken may have looked at it already, the next one has not. Cheap while the thread is awake.
    package func wake() {
        loop.wake()
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        loop.enqueue(UnownedJob(job))
    }

    package func asUnownedSerialExecutor() -> UnownedSerialExecutor {
        UnownedSerialExecutor(ordinary: self)
    }

    /// Lets `assumeIsolated` succeed inside a turn hook, which runs on the thread, yet outside any job.
    package func checkIsolated() {
        precondition(loop.isCurrentThread, "not on the thread of this executor")
    }
}

import NIOCore

/// Runs tasks on the thread of one event loop.
///
/// A request is then read, decided and answered on one thread without a hop to Swift's own pool and back, which is most
/// of what a request costs otherwise.
final class EventLoopTaskExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

import Glibc
import Synchronization
import Testing

@testable import ThreadExecutor

/// An actor whose work is done by its turns, as a driver's is: jobs fill a queue, a turn empties it.
private actor Worker {
    let executor: ThreadExecutor
    private var waiting: [CheckedContinuation<Void, Never>] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(on loop: EventLoop) {
        executor = ThreadExecutor(on: loop)
    }

    func begin() {
        executor.setTurnHook { [weak self] _ in
            self?.assumeIsolated { $0.turn() }
            return .forever
        }
    }

    /// Returns when a turn has done it.
    func work() async { await withCheckedContinuation { waiting.append($0) } }

    func threadID() -> pthread_t { pthread_self() }

    private func turn() {
        for caller in waiting { caller.resume() }
        waiting = []
    }
}

@Suite("An event loop", .timeLimit(.minutes(1)))
struct EventLoopTests {
    @Test("runs tasks and the jobs of several executors on one thread")
    func oneThread() async throws {
        let loop = try EventLoop(name: "loop")
        let workers = (0..<3).map { _ in Worker(on: loop) }
        let own = await withTaskExecutorPreference(loop) { pthread_self() }
        for worker in workers { #expect(pthread_equal(await worker.threadID(), own) != 0) }
    }

    @Test("lets a turn follow each job, whoever brings it and whatever the thread is doing")
    func turnsFollowJobs() async throws {
        let loop = try EventLoop(name: "loop")
        let workers = (0..<4).map { _ in Worker(on: loop) }
        for worker in workers { await worker.begin() }
        await withDiscardingTaskGroup { group in
            for number in 0..<8 {
                for worker in workers {
                    group.addTask(executorPreference: number.isMultiple(of: 2) ? loop : nil) {
                        for _ in 0..<1_000 { await worker.work() }
                    }
                }
            }
        }
    }

    @Test("takes a turn when its descriptor is ready, when its time has come, and when it is asked for, and says which")
    func reasons() async throws {
        let executor = ThreadExecutor(on: try EventLoop(name: "loop"))
        var ends: [Int32] = [-1, -1]
        try #require(pipe(&ends) == 0)
        defer { for end in ends { close(end) } }
        let (turns, turn) = AsyncStream<Bool>.makeStream()
        let readEnd = ends[0]
        executor.setTurnHook { isDue in
            var byte: UInt8 = 0
            if isDue { _ = read(readEnd, &byte, 1) }
            turn.yield(isDue)
            return TurnWait(descriptor: readEnd)
        }
        var iterator = turns.makeAsyncIterator()
        #expect(await iterator.next() == false)
        executor.wake()
        #expect(await iterator.next() == false)
        var byte: UInt8 = 1
        #expect(write(ends[1], &byte, 1) == 1)
        #expect(await iterator.next() == true)
        let isFirst = Atomic(true)
        executor.setTurnHook { isDue in
            turn.yield(isDue)
            return isFirst.exchange(false, ordering: .relaxed) ? TurnWait(milliseconds: 1) : .forever
        }
        #expect(await iterator.next() == false)
        #expect(await iterator.next() == true)
        executor.setTurnHook(nil)
    }

    @Test("calls its hook as it was given: the thousandth turn goes through no more functions than the first")
    func hookIsNotWrapped() async throws {
        let executor = ThreadExecutor(on: try EventLoop(name: "loop"))
        let (depths, depth) = AsyncStream<UInt>.makeStream()
        executor.setTurnHook { _ in
            // Where this call's frame is on the thread's stack.
            withUnsafeTemporaryAllocation(byteCount: 16, alignment: 16) { frame in
                _ = depth.yield(UInt(bitPattern: frame.baseAddress))
            }
            return .forever
        }
        var iterator = depths.makeAsyncIterator()
        let first = await iterator.next()
        var last = first
        for _ in 0..<1_000 {
            executor.wake()
            last = await iterator.next()
        }
        #expect(last == first)
        executor.setTurnHook(nil)
    }

    @Test("forgets an executor that is gone, and its thread goes on for the others")
    func executorsComeAndGo() async throws {
        let loop = try EventLoop(name: "loop")
        let staying = Worker(on: loop)
        await staying.begin()
        for _ in 0..<100 {
            let passing = Worker(on: loop)
            await passing.begin()
            await passing.work()
        }
        await staying.work()
        #expect(loop.thread.turnCount == 1)
    }
}

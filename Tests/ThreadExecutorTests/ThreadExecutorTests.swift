import Glibc
import Synchronization
import Testing

@testable import ThreadExecutor

/// An actor at home on a thread of its own, as the drivers' connections are.
private actor Resident {
    let executor: ThreadExecutor
    private let onDeinit: @Sendable (Bool) -> Void
    private(set) var order: [Int] = []

    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    init(executor: ThreadExecutor, onDeinit: @escaping @Sendable (Bool) -> Void = { _ in }) {
        self.executor = executor
        self.onDeinit = onDeinit
    }

    isolated deinit {
        var name = [UInt8](repeating: 0, count: 16)
        let file = open("/proc/thread-self/comm", O_RDONLY)
        let count = read(file, &name, name.count)
        close(file)
        onDeinit(String(decoding: name.prefix(max(count, 0)), as: UTF8.self) == "resident\n")
    }

    func note(_ number: Int) { order.append(number) }

    func threadID() -> pthread_t { pthread_self() }
}

@Suite("A thread executor", .timeLimit(.minutes(1)))
struct ThreadExecutorTests {
    @Test("runs all of an actor's code on one thread, which is not the caller's")
    func oneThread() async throws {
        let resident = Resident(executor: try ThreadExecutor(name: "resident"))
        let first = await resident.threadID()
        let second = await resident.threadID()
        #expect(pthread_equal(first, second) != 0)
    }

    @Test("loses no job under many concurrent callers")
    func losesNothing() async throws {
        let resident = Resident(executor: try ThreadExecutor(name: "resident"))
        await withDiscardingTaskGroup { group in
            for number in 0..<10_000 {
                group.addTask { await resident.note(number) }
            }
        }
        #expect(await resident.order.sorted() == Array(0..<10_000))
    }

    @Test("runs the actor's deinit on its thread and then lets the thread end")
    func deinitOnThread() async throws {
        let deinits = AsyncStream<Bool>.makeStream()
        do {
            let resident = Resident(executor: try ThreadExecutor(name: "resident")) { deinits.continuation.yield($0) }
            await resident.note(1)
        }
        var iterator = deinits.stream.makeAsyncIterator()
        #expect(await iterator.next() == true)
    }

    @Test("calls the turn hook on its thread, in isolation of its actor, and wakes it for a new job")
    func turnHook() async throws {
        let executor = try ThreadExecutor(name: "resident")
        let resident = Resident(executor: executor)
        let turns = Atomic<Int>(0)
        let isolatedTurns = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
        executor.setTurnHook { [weak resident] _ in
            turns.add(1, ordering: .relaxed)
            resident?.assumeIsolated { _ in _ = isolatedTurns.continuation.yield() }
            return .forever
        }
        var iterator = isolatedTurns.stream.makeAsyncIterator()
        await iterator.next()
        for number in 0..<1_000 { await resident.note(number) }
        #expect(await resident.order.count == 1_000)
        #expect(turns.load(ordering: .relaxed) >= 1)
        executor.setTurnHook(nil)
    }
}

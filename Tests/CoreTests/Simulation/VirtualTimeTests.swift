import Core
import Simulation
import Testing

@Suite("Virtual time", .timeLimit(.minutes(1)))
struct VirtualTimeTests {
    @Test("sleepers wake in the order of their time, those of one instant in the order of their coming")
    func order() throws {
        let time = VirtualTime()
        let log = Log()
        try StepExecutor().run(in: time) {
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (name, seconds) in [("c", 3), ("a", 1), ("b1", 2), ("b2", 2), ("zero", 0)] {
                    group.addTask {
                        try await time.sleep(for: .seconds(seconds))
                        log.add("\(name) \(time.uptime().components.seconds)")
                    }
                }
                try await group.waitForAll()
            }
        }
        #expect(log.lines == ["zero 0", "a 1", "b1 2", "b2 2", "c 3"])
    }

    @Test("it moves only when told to, and passes every scheduled instant on the way")
    func advance() {
        let time = VirtualTime(start: Timestamp(microseconds: 1_000_000))
        let log = Log()
        time.schedule(after: .seconds(2)) { log.add("2 at \(time.uptime().components.seconds)") }
        time.schedule(after: .seconds(1)) {
            log.add("1 at \(time.uptime().components.seconds)")
            time.schedule(after: .seconds(3)) { log.add("4 at \(time.uptime().components.seconds)") }
        }
        #expect(time.now() == Timestamp(microseconds: 1_000_000))
        time.advance(by: .seconds(3))
        #expect(log.lines == ["1 at 1", "2 at 2"])
        #expect(time.uptime() == .seconds(3))
        time.advance(by: .seconds(7))
        #expect(log.lines.last == "4 at 4")
        #expect(time.now() == Timestamp(microseconds: 11_000_000))
        #expect(!time.wakeNext())
    }

    @Test("a cancelled sleeper wakes at once")
    func cancellation() throws {
        let time = VirtualTime()
        try StepExecutor().run(in: time) {
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await time.sleep(for: .seconds(1_000)) }
                try? await time.sleep(for: .seconds(1))
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
        #expect(time.uptime() == .seconds(1))
    }

    @Test("the same seed gives the same order, another one another")
    func seeds() throws {
        func order(_ seed: UInt64) throws -> [String] {
            let time = VirtualTime()
            let log = Log()
            try StepExecutor(seed: seed).run(in: time) {
                await withTaskGroup(of: Void.self) { group in
                    for name in 0..<10 {
                        group.addTask {
                            await Task.yield()
                            log.add("\(name)")
                        }
                    }
                }
            }
            return log.lines
        }
        #expect(try order(1) == order(1))
        #expect(try Set((1...5).map { try order($0) }).count > 1)
    }

    @Test("work that waits for nothing that comes is reported")
    func stalled() {
        #expect(throws: StepExecutor.Stalled.self) {
            try StepExecutor().run(in: VirtualTime()) {
                let (stream, continuation) = AsyncStream<Int>.makeStream()
                for await _ in stream {}
                continuation.finish()
            }
        }
    }
}

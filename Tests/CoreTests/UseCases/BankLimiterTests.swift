import Core
import Simulation
import Synchronization
import Testing

@Suite("How many commands are at the bank", .timeLimit(.minutes(1)))
struct BankLimiterTests {
    private final class Entered: Sendable {
        let numbers = Mutex<[Int]>([])
    }

    @Test("no more than twice the concurrency are let in, in the order in which they came")
    func bound() throws {
        let time = VirtualTime()
        try StepExecutor().run(in: time) {
            let limiter = BankLimiter(concurrency: 2)
            let entered = Entered()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        try await time.sleep(for: .milliseconds(number))
                        try await limiter.enter()
                        entered.numbers.withLock { $0.append(number) }
                        try await time.sleep(for: .seconds(1))
                        limiter.leave()
                    }
                }
                try await time.sleep(for: .milliseconds(500))
                #expect(entered.numbers.withLock { $0 } == [0, 1, 2, 3])
                try await group.waitForAll()
            }
            #expect(entered.numbers.withLock { $0 } == Array(0..<10))
        }
    }

    @Test("one that is cancelled in the line takes nobody's place")
    func cancelled() throws {
        let time = VirtualTime()
        try StepExecutor().run(in: time) {
            let limiter = BankLimiter(concurrency: 1)
            for _ in 0..<2 { try await limiter.enter() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await withTaskGroup(of: Bool.self) { cancelled in
                        cancelled.addTask { (try? await limiter.enter()) != nil }
                        try? await time.sleep(for: .milliseconds(1))
                        cancelled.cancelAll()
                        for await isIn in cancelled { #expect(!isIn) }
                    }
                }
                try await time.sleep(for: .microseconds(500))
                group.addTask { try await limiter.enter() }
                try await time.sleep(for: .milliseconds(5))
                limiter.leave()
                try await group.waitForAll()
            }
        }
    }

    @Test("a bank that has had enough gets half as many, and slowly more again")
    func slowDown() throws {
        try StepExecutor().run(in: VirtualTime()) {
            let limiter = BankLimiter(concurrency: 4)
            for _ in 0..<8 { try await limiter.enter() }
            limiter.slowDown()
            #expect(limiter.limit == 4)
            limiter.slowDown()
            limiter.slowDown()
            limiter.slowDown()
            #expect(limiter.limit == 1)
            for _ in 0..<8 { limiter.leave() }
            for _ in 0..<100 {
                try await limiter.enter()
                limiter.leave()
            }
            #expect(limiter.limit == 8)
        }
    }
}

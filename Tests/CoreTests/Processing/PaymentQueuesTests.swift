import Simulation
import Synchronization
import Testing

@testable import Core

@Suite("The queues of the payments", .timeLimit(.minutes(1)))
struct PaymentQueuesTests {
    private static let payment = PaymentID(UniqueID(high: 1, low: 1))
    private static let reading = CommandReading(prefetch: 64)
    private static let other = PaymentID(UniqueID(high: 2, low: 2))

    private func simulate(_ work: @escaping @Sendable (VirtualTime, PaymentQueues) async throws -> Void) throws {
        for seed in [nil, 1, 2, 3] as [UInt64?] {
            let time = VirtualTime()
            try StepExecutor(seed: seed).run(in: time) { try await work(time, PaymentQueues()) }
        }
    }

    @Test("those of one payment go through one after the other, in the order of their places")
    func order() throws {
        try simulate { time, queues in
            let log = Log()
            let places = (0..<20).map { _ in queues.place(for: Self.payment, of: Self.reading) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for (index, place) in places.enumerated().reversed() {
                    group.addTask {
                        _ = try await queues.enter(place)
                        log.add("in \(index)")
                        try await time.sleep(for: .milliseconds(5))
                        log.add("out \(index)")
                        queues.leave(place)
                    }
                }
                try await group.waitForAll()
            }
            #expect(log.lines == (0..<20).flatMap { ["in \($0)", "out \($0)"] })
        }
    }

    @Test("those of different payments go through side by side")
    func sideBySide() throws {
        try simulate { _, queues in
            let first = queues.place(for: Self.payment, of: Self.reading)
            let second = queues.place(for: Self.other, of: Self.reading)
            _ = try await queues.enter(first)
            _ = try await queues.enter(second)
            queues.leave(second)
            queues.leave(first)
        }
    }

    @Test("what the last one completed is told to the next, and forgotten when nobody waits")
    func completed() throws {
        let operation = try PaymentFixture.operation(.capture, .succeeded)
        let known = PaymentQueues.Completed(command: try PaymentFixture.command(.capture), operation: operation)
        try simulate { _, queues async throws in
            let places = (0..<4).map { _ in queues.place(for: Self.payment, of: Self.reading) }
            #expect(try await queues.enter(places[0]) == nil)
            queues.leave(places[0], completed: known)
            #expect(try await queues.enter(places[1])?.operation == operation)
            queues.leave(places[1])
            #expect(try await queues.enter(places[2])?.operation == operation)
            queues.leave(places[2])
            queues.leave(places[3])
            let late = queues.place(for: Self.payment, of: Self.reading)
            #expect(try await queues.enter(late) == nil)
            queues.leave(late)
        }
    }

    @Test("one that is cancelled while it waits gives up, and those behind it move up")
    func cancellation() throws {
        try simulate { time, queues in
            let log = Log()
            let places = (0..<4).map { _ in queues.place(for: Self.payment, of: Self.reading) }
            _ = try await queues.enter(places[0])
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    await withTaskGroup(of: Void.self) { inner in
                        for index in [1, 2] {
                            inner.addTask {
                                do {
                                    _ = try await queues.enter(places[index])
                                    log.add("entered \(index)")
                                } catch {
                                    log.add("cancelled")
                                }
                                queues.leave(places[index])
                            }
                        }
                        _ = try? await time.sleep(for: .milliseconds(10))
                        inner.cancelAll()
                    }
                }
                group.addTask {
                    _ = try await queues.enter(places[3])
                    log.add("entered 3")
                    queues.leave(places[3])
                }
                try await time.sleep(for: .milliseconds(50))
                log.add("leaving")
                queues.leave(places[0])
                try await group.waitForAll()
            }
            #expect(log.lines == ["cancelled", "cancelled", "leaving", "entered 3"])
        }
    }

    @Test("the place of one that never entered does not block the queue")
    func abandoned() throws {
        try simulate { _, queues in
            let places = (0..<3).map { _ in queues.place(for: Self.payment, of: Self.reading) }
            queues.leave(places[1])
            _ = try await queues.enter(places[0])
            queues.leave(places[0])
            _ = try await queues.enter(places[2])
            queues.leave(places[2])
        }
    }
}

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

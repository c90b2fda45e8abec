import Simulation
import Synchronization
import Testing

@testable import Core

@Suite("The circuit breaker", .timeLimit(.minutes(1)))
struct CircuitBreakerTests {
    /// Runs the work in several interleavings, with a breaker that has just opened where that is asked for.
    private func simulate(
        isOpen: Bool = true,
        _ work: @escaping @Sendable (VirtualTime, CircuitBreaker) async throws -> Void
    ) throws {
        for seed in [nil, 1, 2, 3] as [UInt64?] {
            let time = VirtualTime()
            let random = SeededRandom(seed: seed ?? 0)
            let breaker = CircuitBreaker(time: time, random: random, observer: RecordingObserver())
            try StepExecutor(seed: seed).run(in: time) {
                if isOpen {
                    for _ in 0..<10 {
                        let permit = try #require(try await breaker.admit(since: nil))
                        breaker.record(.notSent(reason: "refused"), under: permit)
                    }
                    #expect(breaker.condition == .open)
                }
                try await work(time, breaker)
            }
        }
    }

    @Test("who does not wait is refused at once; who waits is let through one at a time, until it is closed")
    func oneAtATime() throws {
        try simulate { time, breaker in
            #expect(try await breaker.admit(since: nil) == nil)
            let log = Log()
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<5 {
                    group.addTask {
                        let permit = try #require(try await breaker.admit(since: time.uptime()))
                        log.add("in")
                        try await time.sleep(for: .seconds(1))
                        if log.lines.count == 1 { breaker.record(.response(Self.success), under: permit) }
                        breaker.end(permit)
                        log.add("out")
                    }
                }
                try await group.waitForAll()
            }
            // The first is alone until it has shown that the bank is back.
            #expect(log.lines.prefix(1) == ["in"] && log.lines.count == 10)
            #expect(breaker.condition == .closed)
        }
    }

    @Test("patience ends after seconds")
    func patience() throws {
        try simulate { time, breaker in
            let probe = try #require(try await breaker.admit(since: time.uptime()))
            let started = time.uptime()
            #expect(try await breaker.admit(since: started) == nil)
            #expect(time.uptime() - started == BreakerPolicy().patience)
            breaker.end(probe)
            #expect(try await breaker.admit(since: nil) != nil)
        }
    }

    @Test("who takes deliveries waits while it is open, and hears of every change")
    func conditions() throws {
        try simulate { time, breaker in
            #expect(try await breaker.untilNotOpen() == .halfOpen)
            #expect(time.uptime() >= BreakerPolicy().pause)
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await breaker.untilNot(.halfOpen) }
                group.addTask {
                    let permit = try #require(try await breaker.admit(since: nil))
                    breaker.record(.response(Self.success), under: permit)
                    breaker.end(permit)
                }
                try await group.waitForAll()
            }
            #expect(breaker.condition == .closed)
        }
    }

    @Test("a wait that is cancelled ends")
    func cancelled() throws {
        try simulate(isOpen: false) { time, breaker in
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await breaker.untilNot(.closed) }
                try? await time.sleep(for: .seconds(1))
                group.cancelAll()
                await #expect(throws: CancellationError.self) { try await group.next() }
            }
        }
    }

    @Test("in an outage what is delivered is left unread, but for one at a time that tries; nothing else is claimed")
    func outage() throws {
        try World.run(consumers: { [$0.consumer(bank: ClosedBank())] }) { world in
            for number in 0..<10 { world.send(.authorize, payment: World.payment(number), key: "a-\(number)") }
            try await world.until { world.deferred.count == 10 }
            for number in 10..<200 { world.send(.authorize, payment: World.payment(number), key: "a-\(number)") }
            try await world.time.sleep(for: .seconds(120))
            let claimed = world.store.operations.count - 10
            // It waits 2, 4, 8, 16, 30 and 30 seconds between two of them.
            #expect(1...7 ~= claimed)
            // One that was waited for when the breaker opened is read besides.
            #expect(world.broker.unacknowledged >= 190 - claimed - 1)
            #expect(world.deadLetters.isEmpty)
        }
    }

    @Test("what was read before an outage is deferred in it, and is no attempt")
    func readBefore() throws {
        try World.run(make: { World(seed: $0, bringsBack: false) }, consumers: { [$0.consumer(bank: ClosedBank())] }) {
            world in
            for number in 0..<200 { world.send(.authorize, payment: World.payment(number), key: "a-\(number)") }
            try await world.until { world.broker.unacknowledged == 0 }
            #expect(world.deferred.count == 200)
            #expect(world.deadLetters.isEmpty)
        }
    }

    @Test("when the bank is back, a command that waits for another one keeps nobody from trying")
    func waitingWhileTrying() throws {
        let make = { @Sendable (seed: UInt64) in World(seed: seed, bringsBack: false) }
        try World.run(make: make, consumers: { [$0.consumer(bank: ReturningBank(world: $0))] }) { world in
            for number in 0..<10 { world.send(.authorize, payment: World.payment(number), key: "a-\(number)") }
            try await world.until { world.deferred.count == 10 }
            // Its payment is in progress, and nothing that comes soon ends that.
            for number in 0..<4 { world.send(.capture, payment: World.payment(number), key: "c-\(number)") }
            world.send(.authorize, payment: World.payment(50), key: "a-50")
            let started = world.time.uptime()
            try await world.until { !world.replies("a-50").isEmpty }
            #expect(world.replies("a-50").map(\.outcome) == ["succeeded"])
            #expect(world.time.uptime() - started < .seconds(10))
        }
    }

    /// Away for the first ten calls.
    private final class ReturningBank: Bank {
        private let world: World
        private let calls = Mutex(0)

        init(world: World) {
            self.world = world
        }

        func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
            let isAway = calls.withLock { calls in
                calls += 1
                return calls <= 10
            }
            return isAway ? .notSent(reason: "connect_failed") : await world.bank.send(request, late: late)
        }
    }

    private struct ClosedBank: Bank {
        func send(_ request: BankRequest, late: @escaping @Sendable (BankAnswer) -> Void) async -> BankAnswer {
            .notSent(reason: "connect_failed")
        }
    }

    private static let success = BankResponse(status: 200, body: .json(.object([:])))
}

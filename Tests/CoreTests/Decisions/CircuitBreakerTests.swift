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

@Suite("The circuit before the bank", .timeLimit(.minutes(1)))
struct BreakerCircuitTests {
    private var circuit = BreakerCircuit(policy: BreakerPolicy())

    private mutating func permit(at second: Int) throws -> BreakerCircuit.Permit {
        guard case .granted(let permit) = circuit.admit(at: .seconds(second)) else { throw Refused() }
        return permit
    }

    private struct Refused: Error {}

    /// Calls at that second, a failure for each `x`.
    private mutating func call(_ pattern: String, at second: Int = 0) throws {
        for character in pattern {
            let permit = try permit(at: second)
            circuit.record(failed: character == "x", under: permit, at: .seconds(second), random: 0)
        }
    }

    /// A circuit that opened at second 0, until second 2.
    private mutating func open() throws {
        try call("xxxxxxxxxx")
        #expect(circuit.condition == .open)
    }

    @Test(
        "it opens when half of at least ten calls failed, and not before",
        arguments: [
            ("xxxxxxxxx", false), ("xxxxxxxxxx", true), ("oooooxxxxx", true), ("ooooooxxxx", false),
            ("ooooooooooooooooooooxxxxxxxxx", false), ("ooooooooooooooooooooxxxxxxxxxx", true),
            ("oxooxooxooxo", false), ("xoxoxoxoxx", true), ("oooooooooooooooooooooooo", false),
        ]
    )
    mutating func opening(pattern: String, opens: Bool) throws {
        try call(pattern)
        #expect(circuit.condition == (opens ? .open : .closed))
    }

    @Test("failures of long ago do not count")
    mutating func memory() throws {
        try call("xxxxxxxxx", at: 0)
        try call("x", at: 61)
        #expect(circuit.condition == .closed)
    }

    @Test("open, it refuses until its pause is over; then one may try, and the others wait for that one")
    mutating func probing() throws {
        try open()
        #expect(circuit.admit(at: .seconds(1)) == .refused(until: .seconds(2)))
        let probe = try permit(at: 2)
        #expect(probe.isProbe)
        #expect(circuit.condition == .halfOpen)
        #expect(circuit.admit(at: .seconds(2)) == .refused(until: nil))
        circuit.record(failed: false, under: probe, at: .seconds(3), random: 0)
        #expect(circuit.condition == .closed)
        #expect(try permit(at: 3).isProbe == false)
    }

    @Test("each try in vain doubles the pause, up to its limit; a success starts anew")
    mutating func pauses() throws {
        try open()
        var now = 2
        for pause in [4, 8, 16, 30, 30] {
            let probe = try permit(at: now)
            circuit.record(failed: true, under: probe, at: .seconds(now), random: 0)
            #expect(circuit.opensUntil == .seconds(now + pause))
            now += pause
        }
        circuit.record(failed: false, under: try permit(at: now), at: .seconds(now), random: 0)
        try call("xxxxxxxxxx", at: now)
        #expect(circuit.opensUntil == .seconds(now + 2))
    }

    @Test("the random word lengthens the pause by a quarter at most")
    func jitter() {
        let policy = BreakerPolicy()
        for failures in [0, 1, 5, 100] {
            let shortest = policy.pause(afterFailures: failures, random: 0)
            for word in [1, 12_345_678, UInt64.max] {
                let pause = policy.pause(afterFailures: failures, random: word)
                #expect(pause >= shortest && pause <= shortest * 1.25)
            }
        }
    }

    @Test("a try that asked nobody is given back: another may")
    mutating func giveBack() throws {
        try open()
        circuit.giveBack(try permit(at: 2))
        #expect(circuit.condition == .halfOpen)
        #expect(try permit(at: 2).isProbe)
    }

    @Test("what was allowed before the last change says nothing about now")
    mutating func lateCalls() throws {
        let early = try permit(at: 0)
        try open()
        #expect(!circuit.honours(early))
        let probe = try permit(at: 2)
        circuit.record(failed: false, under: early, at: .seconds(2), random: 0)
        #expect(circuit.condition == .halfOpen)
        circuit.record(failed: true, under: early, at: .seconds(2), random: 0)
        circuit.giveBack(early)
        #expect(circuit.admit(at: .seconds(2)) == .refused(until: nil))
        circuit.record(failed: false, under: probe, at: .seconds(2), random: 0)
        circuit.giveBack(probe)
        #expect(circuit.condition == .closed)
    }

    @Test(
        "only what tells of a bank that is out counts as a failure",
        arguments: [
            (.notSent(reason: "r"), true), (.noAnswer(reason: "r"), true), (Self.answer(500, "{}"), true),
            (Self.answer(503, #"{"status":"x"}"#), true), (Self.answer(200, "<html>"), true),
            (Self.answer(400, #"{"error":"internal_error"}"#), true), (Self.answer(200, "{}"), false),
            (Self.answer(402, #"{"error":"insufficient_funds"}"#), false),
            (Self.answer(400, #"{"error":"odd"}"#), false),
        ] as [(BankAnswer, Bool)]
    )
    func outage(answer: BankAnswer, isOutage: Bool) {
        #expect(answer.isOutage == isOutage)
    }

    private static func answer(_ status: Int, _ body: String) -> BankAnswer {
        .response(BankResponse(status: status, bytes: Array(body.utf8), isReplayed: false))
    }
}

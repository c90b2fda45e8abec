import Core
import Synchronization
import Testing

@testable import Processor

@Suite("Queues that confirm nothing")
struct ConfirmGateTests {
    private final class Clock: Sendable {
        private let start = ContinuousClock.now
        private let passed = Mutex(Duration.zero)

        func pass(_ duration: Duration) { passed.withLock { $0 += duration } }

        var now: ContinuousClock.Instant { start + passed.withLock { $0 } }
    }

    private let clock = Clock()
    private let route = ConfirmGate.Route(exchange: "", key: "replies.a")
    private let other = ConfirmGate.Route(exchange: "", key: "replies.b")

    private func gate(limit: Int) -> ConfirmGate { ConfirmGate(limit: limit) { [clock] in clock.now } }

    private func isShut(_ gate: ConfirmGate, _ route: ConfirmGate.Route) -> Bool {
        do throws(SinkError) {
            _ = try gate.enter(route)
            return false
        } catch {
            #expect(error.kind == .silentDestination)
            return true
        }
    }

    @Test("any number may wait as long as the queue answers, those beyond the limit for a short time each")
    func answering() throws {
        let gate = gate(limit: 2)
        for number in 0..<10 { #expect(try gate.enter(route) == (number >= 2)) }
        for _ in 0..<100 {
            clock.pass(.seconds(1))
            #expect(!gate.leave(route, .answered))
            #expect(try gate.enter(route))
        }
    }

    @Test("when it does not answer, no more than the limit are let in, and none once one has waited in vain")
    func silent() throws {
        let gate = gate(limit: 2)
        for _ in 0..<10 { _ = try gate.enter(route) }
        clock.pass(ConfirmGate.grace + .milliseconds(1))
        #expect(isShut(gate, route))
        #expect(try !gate.enter(other))
        for _ in 0..<8 { #expect(gate.leave(route, .unanswered)) }
        #expect(isShut(gate, route))
        for _ in 0..<2 { #expect(gate.leave(route, .unanswered)) }
        #expect(isShut(gate, route))
    }

    @Test("every few seconds one tries; when it is answered, all may again")
    func tries() throws {
        let gate = gate(limit: 1)
        _ = try gate.enter(route)
        clock.pass(.seconds(10))
        #expect(gate.leave(route, .unanswered))
        for _ in 0..<5 {
            #expect(isShut(gate, route))
            clock.pass(ConfirmGate.pause)
            _ = try gate.enter(route)
            for _ in 0..<20 { #expect(isShut(gate, route)) }
            clock.pass(.seconds(10))
            #expect(isShut(gate, route))
            #expect(gate.leave(route, .unanswered))
        }
        clock.pass(ConfirmGate.pause)
        _ = try gate.enter(route)
        #expect(!gate.leave(route, .answered))
        for _ in 0..<5 { _ = try gate.enter(route) }
    }

    @Test("what was answered while one waited, and what never reached the broker, is no sign of silence")
    func noSign() throws {
        let gate = gate(limit: 4)
        for _ in 0..<2 { _ = try gate.enter(route) }
        clock.pass(.seconds(9))
        #expect(!gate.leave(route, .answered))
        clock.pass(.seconds(1))
        #expect(!gate.leave(route, .unanswered))
        _ = try gate.enter(route)
        clock.pass(.seconds(10))
        #expect(!gate.leave(route, .unknown))
        #expect(!isShut(gate, route))
    }
}

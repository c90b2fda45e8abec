import Testing

@testable import Core

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

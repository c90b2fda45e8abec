import Testing

@testable import BankSimulator

@Suite("Failures and faults", .timeLimit(.minutes(1)))
struct FailureTests {
    @Test("an injected failure executes nothing, hits GET as well, and spares health")
    func failureRate() async throws {
        let fixture = SimulatorFixture { $0.failureRate = 1 }
        let answer = try #require(try await fixture.authorize(key: "k"))
        #expect(answer.status == 500 && answer.code == "internal_error")
        #expect(try await fixture.send("GET", "/api/v1/captures/x")?.status == 500)
        #expect(try await fixture.send("GET", "/health")?.status == 200)
        #expect(try await fixture.ledger().isEmpty)
        #expect(try await fixture.requests().map { $0["fault"] } == [.string("failure-rate"), .string("failure-rate")])
    }

    @Test("latency lies within its bounds, for GET as well, and none does not wait at all")
    func latency() async throws {
        let slow = SimulatorFixture { $0.latency = 10...20 }
        await slow.gate.open()
        for _ in 0..<50 { _ = try await slow.send("GET", "/api/v1/captures/x") }
        let durations = await slow.gate.durations
        #expect(durations.count == 50 && Set(durations).count > 1)
        #expect(durations.allSatisfy { $0 >= .milliseconds(10) && $0 <= .milliseconds(20) })

        let fast = SimulatorFixture()
        _ = try await fast.authorize(key: "k")
        #expect(await fast.gate.durations.isEmpty)
    }

    @Test("timeout-after-execute executes, stores the key, and holds the answer")
    func timeoutAfterExecute() async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(#"{"fault":"timeout-after-execute","count":1,"milliseconds":30000}"#)
        async let held = fixture.authorize(key: "k")
        await fixture.gate.arrivals(1)
        #expect(await fixture.gate.durations == [.seconds(30)])
        #expect(try await fixture.ledger().count == 1)
        #expect(try await fixture.requests().map { $0["status"] } == [.null])
        let again = try #require(try await fixture.authorize(key: "k"))
        #expect(again.isReplay)
        await fixture.gate.open()
        #expect(try await held?.body == again.body)
        #expect(try await fixture.requests().map { $0["status"] } == [.number("200"), .number("200")])
    }

    @Test("timeout-after-execute holds for longer than any client unless told otherwise")
    func defaultHold() async throws {
        let fixture = SimulatorFixture()
        await fixture.gate.open()
        try await fixture.fault(#"{"fault":"timeout-after-execute"}"#)
        _ = try await fixture.authorize(key: "k")
        #expect(await fixture.gate.durations == [.seconds(60)])
    }

    @Test(
        "a fault executes or does not, stores the key or does not",
        arguments: [
            ("drop-before", nil, 0, false), ("down", nil, 0, false), ("error-500", 500, 0, false),
            ("drop-after", nil, 1, true), ("garbage", 200, 1, true), ("lose-key", 200, 1, false),
        ] as [(String, Int?, Int, Bool)]
    )
    func faults(name: String, status: Int?, effects: Int, isReplayed: Bool) async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(#"{"fault":"\#(name)","operation":"authorize","count":1}"#)
        #expect(try await fixture.authorize(key: "k")?.status == status)
        #expect(try await fixture.ledger().count == effects)
        let again = try #require(try await fixture.authorize(key: "k"))
        #expect(again.status == 200 && again.isReplay == isReplayed)
        #expect(try await fixture.ledger().count == (isReplayed ? 1 : effects + 1))

        let log = try await fixture.requests()
        #expect(log.map { $0["fault"] } == [.string(name), .null])
        #expect(log.map { $0["replayed"] } == [.bool(false), .bool(isReplayed)])
        #expect(log.first?["status"] == status.map { .number("\($0)") } ?? .null)
    }

    @Test("garbage is no JSON")
    func garbage() async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(#"{"fault":"garbage"}"#)
        let answer = try #require(try await fixture.authorize(key: "k"))
        #expect(answer.contentType == .html)
        #expect(throws: JSONParser.Malformed.self) { try JSONParser.firstValue(in: Array(answer.body.utf8)) }
    }

    @Test("lose-key goes with drop-after: the effect stays and nobody knows of it")
    func lostAltogether() async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(#"{"fault":"drop-after","count":1}"#)
        try await fixture.fault(#"{"fault":"lose-key","count":1}"#)
        #expect(try await fixture.authorize(key: "k") == nil)
        #expect(try await fixture.authorize(key: "k")?.isReplay == false)
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("latency adds to what the bank waits anyway")
    func latencyFault() async throws {
        let fixture = SimulatorFixture { $0.latency = 5...5 }
        await fixture.gate.open()
        try await fixture.fault(#"{"fault":"latency","operation":"get","milliseconds":250}"#)
        _ = try await fixture.send("GET", "/api/v1/captures/x")
        _ = try await fixture.authorize(key: "k")
        #expect(await fixture.gate.durations == [.milliseconds(250), .milliseconds(5), .milliseconds(5)])
    }

    @Test("down leaves the control endpoints alone, and ends when the faults are deleted")
    func down() async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(#"{"fault":"down"}"#)
        for (method, path) in [("GET", "/health"), ("GET", "/api/v1/captures/x"), ("GET", "/nowhere")] {
            #expect(try await fixture.send(method, path) == nil)
        }
        #expect(try await fixture.authorize(key: "k") == nil)
        for path in ["/ledger", "/requests", "/faults"] { #expect(try await fixture.send("GET", path)?.status == 200) }
        try await fixture.send("DELETE", "/faults")
        #expect(try await fixture.send("GET", "/health")?.status == 200)
    }
}

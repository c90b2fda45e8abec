import Testing

@testable import BankSimulator

/// The server cancels a request when its caller hangs up; ``HangUpServerTests`` has the same over sockets.
@Suite("A caller that hangs up", .timeLimit(.minutes(1)))
struct HangUpTests {
    /// Begins a request, and hangs up while it waits for the last of so many times.
    private func hangUp(
        on fixture: SimulatorFixture,
        wait: Int = 1,
        _ send: @escaping @Sendable (SimulatorFixture) async throws -> HTTPAnswer? = {
            try await $0.authorize(key: "k")
        }
    ) async throws {
        let request = Task { try await send(fixture) }
        for number in 1..<wait {
            await fixture.gate.arrivals(number)
            await fixture.gate.release()
        }
        await fixture.gate.arrivals(wait)
        request.cancel()
        await fixture.gate.open()
        await #expect(throws: CancellationError.self) { try await request.value }
    }

    private func isKnown(_ fixture: SimulatorFixture) async throws -> Bool {
        try await fixture.post("authorizations", key: "k", "{}")?.isReplay == true
    }

    /// What the log says of the first request.
    private func expectLogged(_ fault: String, _ fixture: SimulatorFixture) async throws {
        let record = try #require(try await fixture.requests().first)
        #expect(record["fault"] == .string(fault))
        #expect(record["status"] == .null)
    }

    @Test("during the latency: nothing is executed")
    func latency() async throws {
        let fixture = SimulatorFixture { $0.latency = 5...5 }
        try await hangUp(on: fixture)
        #expect(try await fixture.ledger().isEmpty)
        #expect(try await !isKnown(fixture))
        try await expectLogged("hung-up", fixture)
    }

    @Test("before it was even looked at: nothing is executed, though nothing waits")
    func atOnce() async throws {
        let fixture = SimulatorFixture()
        try await hangUp(on: fixture) { fixture in
            await fixture.gate.pass(.zero)
            return try await fixture.authorize(key: "k")
        }
        #expect(try await fixture.ledger().isEmpty)
        try await expectLogged("hung-up", fixture)
    }

    @Test("between execution and the storing of the key: the effect stays, and its key is unknown")
    func keyStoreDelay() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        try await hangUp(on: fixture)
        #expect(try await fixture.ledger().count == 1)
        #expect(try await !isKnown(fixture))
        try await expectLogged("hung-up", fixture)
        #expect(try await fixture.authorize(key: "k")?.isReplay == false)
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("a capture so cut off is answered as used when it is sent again")
    func captureWithoutKey() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        async let authorized = fixture.authorize(key: "a")
        await fixture.gate.arrivals(1)
        await fixture.gate.release()
        let authorization = try #require(try await authorized?.text("authorization_id"))
        try await hangUp(on: fixture, wait: 2) { try await $0.capture(key: "c", authorization) }
        #expect(try await fixture.capture(key: "c", authorization)?.code == "authorization_already_used")
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("while timeout-after-execute holds the answer: the key stays")
    func hold() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        try await fixture.fault(#"{"fault":"timeout-after-execute","count":1}"#)
        try await hangUp(on: fixture, wait: 2)
        #expect(await fixture.gate.durations == [.milliseconds(3), .seconds(60)])
        #expect(try await isKnown(fixture))
        #expect(try await fixture.ledger().count == 1)
        try await expectLogged("timeout-after-execute,hung-up", fixture)
    }

    @Test(
        "during the latency before a fault that executes: nothing is executed",
        arguments: ["timeout-after-execute", "drop-after", "garbage", "lose-key"]
    )
    func beforeFault(name: String) async throws {
        let fixture = SimulatorFixture { $0.latency = 5...5 }
        try await fixture.fault(#"{"fault":"\#(name)","count":1}"#)
        try await hangUp(on: fixture)
        #expect(try await fixture.ledger().isEmpty)
        try await expectLogged("\(name),hung-up", fixture)
    }

    @Test("a GET is given up as well")
    func get() async throws {
        let fixture = SimulatorFixture { $0.latency = 5...5 }
        try await hangUp(on: fixture) { try await $0.send("GET", "/api/v1/captures/x") }
        try await expectLogged("hung-up", fixture)
    }
}

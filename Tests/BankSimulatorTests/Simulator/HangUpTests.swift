import HTTPClient
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

@Suite("A caller that hangs up, over a socket", .timeLimit(.minutes(2)))
struct HangUpServerTests {
    /// The ways in which a client goes away.
    enum Parting: CaseIterable {
        case close
        case halfClose
        case reset

        func part(_ client: RawClient) {
            switch self {
            case .close: client.close()
            case .halfClose: client.closeHalf()
            case .reset: client.reset()
            }
        }
    }

    /// Longer than any test: it ends only by the client's going away.
    private static let longLatency = #"{"fault":"latency","operation":"authorize","count":1,"milliseconds":600000}"#

    private func authorize(_ bank: LiveSimulator) throws -> RawClient {
        let client = try RawClient(port: bank.port)
        try client.post("/api/v1/authorizations", key: "k", LiveSimulator.authorization)
        return client
    }

    private func isKnown(_ bank: LiveSimulator) async throws -> Bool {
        let answer = try await bank.send(.post, "/api/v1/authorizations", key: "k", "{}")
        return answer.header("X-Idempotent-Replayed") == "true"
    }

    private func expectHungUp(_ fault: String, _ bank: LiveSimulator) async throws {
        try await eventually("the request was never given up") {
            try await bank.requests().first?["fault"] == .string(fault)
        }
        #expect(try await bank.requests().first?["status"] == .null)
    }

    @Test("during the latency: nothing in the ledger, and the key is unknown", arguments: Parting.allCases)
    func latency(parting: Parting) async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(Self.longLatency)
            let client = try authorize(bank)
            try await eventually("the request never arrived") { try await bank.requests().count == 1 }
            parting.part(client)
            try await expectHungUp("latency,hung-up", bank)
            #expect(try await bank.effects() == 0)
            #expect(try await !isKnown(bank))
            #expect(try await bank.authorize().header("X-Idempotent-Replayed") == nil)
            #expect(try await bank.effects() == 1)
        }
    }

    @Test("during the bank's own latency: nothing in the ledger", arguments: Parting.allCases)
    func bankLatency(parting: Parting) async throws {
        try await LiveSimulator.run {
            $0.latency = 600_000...600_000
        } _: { bank in
            let client = try authorize(bank)
            try await eventually("the request never arrived") { try await bank.requests().count == 1 }
            parting.part(client)
            try await expectHungUp("hung-up", bank)
            #expect(try await bank.effects() == 0)
        }
    }

    @Test(
        "after execution, before the key is stored: the effect stays, its key is unknown",
        arguments: Parting.allCases
    )
    func keyStoreDelay(parting: Parting) async throws {
        try await LiveSimulator.run {
            $0.keyStoreDelay = 60_000...60_000
        } _: { bank in
            let client = try authorize(bank)
            try await eventually("the request was never executed") { try await bank.effects() == 1 }
            #expect(try await bank.requests().first?["fault"] == .null)
            parting.part(client)
            try await expectHungUp("hung-up", bank)
            #expect(try await bank.effects() == 1)
            #expect(try await !isKnown(bank))
        }
    }

    @Test("while the answer is held: the key stays", arguments: Parting.allCases)
    func hold(parting: Parting) async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(#"{"fault":"timeout-after-execute","count":1,"milliseconds":600000}"#)
            let client = try authorize(bank)
            try await eventually("the request was never executed") { try await bank.effects() == 1 }
            parting.part(client)
            try await expectHungUp("timeout-after-execute,hung-up", bank)
            #expect(try await isKnown(bank))
            #expect(try await bank.effects() == 1)
        }
    }

    @Test("a client that gives up at its timeout makes the bank give up")
    func timeout() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(Self.longLatency)
            let error = await #expect(throws: HTTPError.self) {
                _ = try await bank.authorize(timeout: .milliseconds(100))
            }
            #expect(error?.code == .timedOut)
            try await expectHungUp("latency,hung-up", bank)
            #expect(try await bank.effects() == 0)
        }
    }

    @Test("a request that is left to run to its end keeps its key")
    func leftToRun() async throws {
        try await LiveSimulator.run {
            $0.latency = 30...30
            $0.keyStoreDelay = 30...30
        } _: { bank in
            let client = try authorize(bank)
            try await eventually("no answer came") { try client.receive().text.contains("auth_") }
            client.reset()
            #expect(try await isKnown(bank))
            #expect(try await bank.effects() == 1)
            #expect(try await bank.requests().first?["fault"] == .null)
            #expect(try await bank.requests().first?["status"] == .number("200"))
        }
    }

    @Test("one connection that is gone takes no other one's request with it")
    func neighbours() async throws {
        try await LiveSimulator.run { bank in
            try await bank.fault(Self.longLatency)
            try await bank.fault(#"{"fault":"timeout-after-execute","operation":"void","milliseconds":600000}"#)
            let leaving = try authorize(bank)
            let staying = try RawClient(port: bank.port)
            try await eventually("the request never arrived") { try await bank.requests().count == 1 }
            try staying.post("/api/v1/voids", key: "v", "{}")
            try await eventually("the request never arrived") { try await bank.requests().count == 2 }
            leaving.reset()
            try await expectHungUp("latency,hung-up", bank)
            #expect(try await bank.requests().last?["fault"] == .string("timeout-after-execute"))
            #expect(try !staying.receive().isAtEnd)
        }
    }
}

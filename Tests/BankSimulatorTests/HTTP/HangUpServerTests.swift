import HTTPClient
import Testing

@testable import BankSimulator

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

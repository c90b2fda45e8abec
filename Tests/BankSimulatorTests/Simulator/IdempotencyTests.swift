import Testing

@testable import BankSimulator

@Suite("Requests under one key", .timeLimit(.minutes(1)))
struct IdempotencyTests {
    @Test("a success is replayed byte for byte, whatever the body says by then")
    func replay() async throws {
        let fixture = SimulatorFixture()
        let first = try #require(try await fixture.authorize(key: "k"))
        fixture.clock.advance(milliseconds: 5_000)
        for body in ["", "{", #"{"card_number":"4242424242424242","cvv":"456","amount":1}"#] {
            let again = try #require(try await fixture.post("authorizations", key: "k", body))
            #expect(again == HTTPAnswer(status: 200, body: first.body, isReplay: true))
        }
        #expect(try await fixture.ledger().count == 1)
    }

    @Test("the same key on another path is another key")
    func perPath() async throws {
        let fixture = SimulatorFixture()
        let authorization = try #require(try await fixture.authorize(key: "k")?.text("authorization_id"))
        let captured = try #require(try await fixture.capture(key: "k", authorization))
        #expect(captured.status == 200 && !captured.isReplay)
    }

    @Test("an error is not stored but decided anew")
    func errors() async throws {
        let fixture = SimulatorFixture()
        #expect(try await fixture.authorize(key: "k", amount: 0)?.code == "invalid_amount")
        #expect(try await fixture.authorize(key: "k", amount: 5)?.status == 200)
    }

    @Test("two requests under one key at the same time are both executed, and one of them is ever replayed")
    func concurrent() async throws {
        let fixture = SimulatorFixture { $0.latency = 100...100 }
        async let one = fixture.authorize(key: "k")
        async let two = fixture.authorize(key: "k")
        await fixture.gate.arrivals(2)
        await fixture.gate.open()
        let bodies = [try await one?.body, try await two?.body]
        #expect(bodies[0] != bodies[1])
        #expect(try await fixture.ledger().count == 2)

        let replayed = try #require(try await fixture.authorize(key: "k"))
        #expect(replayed.isReplay && bodies.contains(replayed.body))
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("the answer is out before the key is stored: a resend in between is decided anew")
    func window() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        let authorization = try #require(try await fixture.authorize(key: "a")?.text("authorization_id"))
        let captured = try #require(try await fixture.capture(key: "c", authorization))
        #expect(try await fixture.capture(key: "c", authorization)?.code == "authorization_already_used")
        #expect(try await fixture.authorize(key: "a")?.isReplay == false)
        #expect(try await fixture.ledger().count == 3)

        fixture.clock.advance(milliseconds: 3)
        let again = try #require(try await fixture.capture(key: "c", authorization))
        #expect(again.isReplay && again.body == captured.body)
        let hold = try await fixture.authorize(key: "a")
        #expect(hold?.isReplay == true && hold?.text("authorization_id") == authorization)
    }

    @Test("a key is forgotten after 24 hours of the simulator's clock")
    func forgotten() async throws {
        let fixture = SimulatorFixture()
        _ = try await fixture.authorize(key: "k")
        try await fixture.send("POST", "/clock", #"{"offset_seconds":86400}"#)
        #expect(try await fixture.authorize(key: "k")?.isReplay == false)
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("a key over 255 characters is accepted and never stored")
    func tooLong() async throws {
        let fixture = SimulatorFixture()
        let key = String(repeating: "k", count: 256)
        #expect(try await fixture.authorize(key: key)?.status == 200)
        #expect(try await fixture.authorize(key: key)?.isReplay == false)
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("the key is looked for before latency and failure")
    func beforeFailure() async throws {
        let fixture = SimulatorFixture {
            $0.failureRate = 0.5
            $0.latency = 7...7
        }
        await fixture.gate.open()
        while try await fixture.authorize(key: "k")?.status == 500 {}
        let waits = await fixture.gate.durations.count
        for _ in 0..<50 { #expect(try await fixture.authorize(key: "k")?.isReplay == true) }
        #expect(await fixture.gate.durations.count == waits)
    }
}

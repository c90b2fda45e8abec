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

    @Test("the answer waits until the key is stored; a request in between is decided anew")
    func window() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        async let first = fixture.authorize(key: "k")
        await fixture.gate.arrivals(1)
        #expect(await fixture.gate.durations == [.milliseconds(3)])
        #expect(try await fixture.ledger().count == 1)
        #expect(try await fixture.post("authorizations", key: "k", "{}")?.code == "invalid_card")
        #expect(try await fixture.requests().map { $0["status"] } == [.null, .number("400")])

        await fixture.gate.open()
        let answer = try #require(try await first)
        #expect(answer.status == 200 && !answer.isReplay)
        let again = try #require(try await fixture.authorize(key: "k"))
        #expect(again.isReplay && again.body == answer.body)
        #expect(try await fixture.ledger().count == 1)
    }

    @Test("nothing waits for a key that is not stored")
    func noKey() async throws {
        let fixture = SimulatorFixture { $0.keyStoreDelay = 3...3 }
        #expect(try await fixture.authorize(key: "k", amount: 0)?.status == 400)
        try await fixture.fault(#"{"fault":"lose-key"}"#)
        #expect(try await fixture.authorize(key: "k")?.status == 200)
        #expect(await fixture.gate.durations.isEmpty)
    }

    @Test("whoever asks by an unknown key with an empty object is refused, and nothing is executed")
    func askUnknown() async throws {
        let fixture = SimulatorFixture()
        for (path, code) in [
            ("authorizations", "invalid_card"), ("captures", "authorization_not_found"),
            ("voids", "authorization_not_found"), ("refunds", "capture_not_found"),
        ] {
            let answer = try #require(try await fixture.post(path, key: "k", "{}"))
            #expect(answer.status == 400 && answer.contentType == .json && answer.code == code && !answer.isReplay)
            let malformed = try #require(try await fixture.post(path, key: "k", "{"))
            #expect(malformed.status == 400 && malformed.contentType == .text)
        }
        #expect(try await fixture.ledger().isEmpty)
    }

    @Test("whoever asks by a known key with an empty object gets what succeeded under it")
    func askKnown() async throws {
        let fixture = SimulatorFixture()
        let held = try #require(try await fixture.authorize(key: "a"))
        let authorization = try #require(held.text("authorization_id"))
        let captured = try #require(try await fixture.capture(key: "c", authorization))
        let capture = try #require(captured.text("capture_id"))
        let refunded = try #require(try await fixture.refund(key: "r", capture))
        let other = try #require(try await fixture.authorize(key: "b")?.text("authorization_id"))
        let voided = try #require(try await fixture.void(key: "v", other))
        for (path, key, first) in [
            ("authorizations", "a", held), ("captures", "c", captured), ("refunds", "r", refunded),
            ("voids", "v", voided),
        ] {
            let answer = try await fixture.post(path, key: key, "{}")
            #expect(answer == HTTPAnswer(status: 200, body: first.body, isReplay: true))
        }
        #expect(try await fixture.ledger().count == 5)
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

@Suite("An id that another payment has", .timeLimit(.minutes(1)))
struct SameIDTests {
    private let fixture = SimulatorFixture()

    @Test("an authorize gets the id of the one before, and executes nothing")
    func sameID() async throws {
        let first = try #require(try await fixture.authorize(key: "a"))
        try await fixture.fault(#"{"fault":"same-id","count":1}"#)
        let second = try #require(try await fixture.authorize(key: "b", amount: 700))
        #expect(second.status == 200 && !second.isReplay)
        #expect(second.text("authorization_id") == first.text("authorization_id"))
        #expect(second.members["amount"] == .number("700"))
        #expect(try await fixture.ledger().count == 1)
        #expect(try await fixture.requests().map { $0["fault"] } == [.null, .string("same-id")])

        let resent = try #require(try await fixture.authorize(key: "b", amount: 700))
        #expect(resent.status == 200 && !resent.isReplay)
        #expect(resent.text("authorization_id") != first.text("authorization_id"))
        #expect(try await fixture.ledger().count == 2)
    }

    @Test("the one before is the last that succeeded, and what became of it does not matter")
    func lastSuccess() async throws {
        _ = try await fixture.authorize(key: "a")
        let last = try #require(try await fixture.authorize(key: "b")?.text("authorization_id"))
        _ = try await fixture.authorize(key: "c", amount: 0)
        _ = try await fixture.void(key: "v", last)
        try await fixture.fault(#"{"fault":"same-id"}"#)
        #expect(try await fixture.authorize(key: "d")?.text("authorization_id") == last)
    }

    @Test("what the bank would refuse it refuses, and a known key is replayed")
    func refusals() async throws {
        let first = try #require(try await fixture.authorize(key: "a"))
        try await fixture.fault(#"{"fault":"same-id"}"#)
        #expect(try await fixture.post("authorizations", key: "b", "{}")?.code == "invalid_card")
        let replayed = try #require(try await fixture.authorize(key: "a"))
        #expect(replayed.isReplay && replayed.body == first.body)
    }

    @Test("the very first authorize is as usual, and the fault waits")
    func first() async throws {
        try await fixture.fault(#"{"fault":"same-id","count":1}"#)
        let first = try await fixture.authorize(key: "a")?.text("authorization_id")
        #expect(try await fixture.ledger().count == 1)
        #expect(try await fixture.authorize(key: "b")?.text("authorization_id") == first)
        #expect(try await fixture.ledger().count == 1)
    }
}

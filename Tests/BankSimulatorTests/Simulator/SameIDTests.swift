import Testing

@testable import BankSimulator

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

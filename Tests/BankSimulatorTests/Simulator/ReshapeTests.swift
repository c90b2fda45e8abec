import Testing

@testable import BankSimulator

@Suite("The right answer, written otherwise", .timeLimit(.minutes(1)))
struct ReshapeTests {
    private let fixture = SimulatorFixture()

    /// An authorization in a style, and the same as it is replayed afterwards.
    private func authorize(_ style: AnswerStyle) async throws -> (styled: HTTPAnswer, usual: HTTPAnswer) {
        try await fixture.fault(#"{"fault":"reshape","style":"\#(style.rawValue)","count":1}"#)
        let styled = try #require(try await fixture.authorize(key: "k"))
        let usual = try #require(try await fixture.authorize(key: "k"))
        #expect(styled.status == 200 && styled.style == style && !styled.isReplay)
        #expect(usual.status == 200 && usual.style == nil && usual.isReplay)
        #expect(try await fixture.ledger().count == 1)
        return (styled, usual)
    }

    @Test(
        "some fields differ, and all the others do not",
        arguments: [
            (.lowerCurrency, ["currency": .string("usd")]),
            (.decimalAmount, ["amount": .number("5000.0")]),
            (.nullFields, ["currency": .null, "expires_at": .null, "created_at": .null]),
            (.pending, ["status": .string("pending")]),
            (.upperStatus, ["status": .string("APPROVED")]),
            (.gzip, [:]), (.http10, [:]), (.byteOrderMark, [:]),
        ] as [(AnswerStyle, [String: JSONValue])]
    )
    func fields(style: AnswerStyle, changes: [String: JSONValue]) async throws {
        let (styled, usual) = try await authorize(style)
        #expect(usual.members.count == 6)
        #expect(styled.members == usual.members.merging(changes) { $1 })
    }

    @Test("captures, voids, refunds, replays and GETs are reshaped too")
    func everywhere() async throws {
        let authorization = try #require(try await fixture.authorize(key: "a")?.text("authorization_id"))
        try await fixture.fault(#"{"fault":"reshape","style":"upper-status"}"#)
        let captured = try #require(try await fixture.capture(key: "c", authorization))
        #expect(captured.text("status") == "CAPTURED")
        let refunded = try await fixture.refund(key: "r", #require(captured.text("capture_id")))
        #expect(refunded?.text("status") == "REFUNDED")
        let other = try #require(try await fixture.authorize(key: "b")?.text("authorization_id"))
        #expect(try await fixture.void(key: "v", other)?.text("status") == "VOIDED")
        let replayed = try await fixture.post("authorizations", key: "a", "{}")
        #expect(replayed?.isReplay == true && replayed?.text("status") == "APPROVED")
        let read = try await fixture.send("GET", "/api/v1/authorizations/\(authorization)")
        #expect(read?.text("status") == "APPROVED")
    }

    @Test("an error has no such fields and stays as it is")
    func error() async throws {
        try await fixture.fault(#"{"fault":"reshape","style":"pending"}"#)
        let answer = try #require(try await fixture.authorize(key: "k", amount: 0))
        #expect(answer.status == 400)
        #expect(answer.body == #"{"error":"invalid_amount","message":"amount must be positive"}"#)
    }
}

import Testing

@testable import BankSimulator

@Suite("Answers of the caller's choice", .timeLimit(.minutes(1)))
struct StatusFaultTests {
    private let fixture = SimulatorFixture()

    @Test("without executing: neither an effect nor a key, and the next request is as usual")
    func withoutExecuting() async throws {
        try await fixture.fault(
            #"{"fault":"status","operation":"authorize","count":1,"status":429,"headers":{"Retry-After":"2"}}"#
        )
        let answer = try await fixture.authorize(key: "k")
        let expected = HTTPAnswer(
            status: 429,
            body: #"{"error":"too_many_requests","message":"too many requests"}"#,
            headers: ["Retry-After": "2"]
        )
        #expect(answer == expected)
        #expect(try await fixture.ledger().isEmpty)
        let again = try #require(try await fixture.authorize(key: "k"))
        #expect(again.status == 200 && !again.isReplay)
        let log = try await fixture.requests()
        #expect(log.map { $0["fault"] } == [.string("status"), .null])
        #expect(log.map { $0["status"] } == [.number("429"), .number("200")])
    }

    @Test("with executing: the effect and its key are there, and the answer is another")
    func executing() async throws {
        try await fixture.fault(#"{"fault":"status","count":1,"status":503,"body":"<html>","executes":true}"#)
        let answer = try #require(try await fixture.authorize(key: "k"))
        #expect(answer == HTTPAnswer(status: 503, body: "<html>"))
        #expect(try await fixture.ledger().count == 1)
        let again = try #require(try await fixture.post("authorizations", key: "k", "{}"))
        #expect(again.status == 200 && again.isReplay)
    }

    @Test("neither latency nor a failure of the bank's own come before it where nothing is executed")
    func atOnce() async throws {
        let fixture = SimulatorFixture {
            $0.latency = 5...5
            $0.failureRate = 1
        }
        try await fixture.fault(#"{"fault":"status","status":401}"#)
        #expect(try await fixture.authorize(key: "k")?.status == 401)
        #expect(try await fixture.send("GET", "/api/v1/captures/x")?.status == 401)
        #expect(await fixture.gate.durations.isEmpty)
    }

    @Test(
        "the usual body is an error as the bank writes it",
        arguments: [
            (200, "{}"), (204, ""), (205, ""), (302, "{}"), (304, ""),
            (402, #"{"error":"payment_required","message":"payment required"}"#),
            (407, #"{"error":"proxy_authentication_required","message":"proxy authentication required"}"#),
            (423, #"{"error":"locked","message":"locked"}"#),
            (499, #"{"error":"status_499","message":"status 499"}"#),
            (500, #"{"error":"internal_error","message":"internal server error"}"#),
            (503, #"{"error":"service_unavailable","message":"service unavailable"}"#),
        ]
    )
    func usualBody(status: Int, body: String) {
        #expect(StatusAnswer(status: status).effectiveBody == body)
        #expect(StatusAnswer(status: status, body: "x").effectiveBody == "x")
    }
}

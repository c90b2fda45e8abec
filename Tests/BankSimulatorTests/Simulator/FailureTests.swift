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

import Testing

@testable import BankSimulator

@Suite("Asking for a fault", .timeLimit(.minutes(1)))
struct FaultRequestTests {
    private func read(_ text: String) throws -> Fault {
        try Fault(json: JSONParser.onlyValue(in: Array(text.utf8)))
    }

    @Test(
        "all but the fault has a default",
        arguments: FaultKind.allCases.filter { ![.latency, .status, .reshape].contains($0) }
    )
    func defaults(kind: FaultKind) throws {
        #expect(try read(#"{"fault":"\#(kind.rawValue)"}"#) == Fault(kind: kind))
        let explicit =
            #"{"fault":"\#(kind.rawValue)","operation":"any","count":null,"probability":1.0,"milliseconds":null}"#
        #expect(try read(explicit) == Fault(kind: kind))
    }

    @Test("everything can be said", arguments: BankOperation.allCases)
    func complete(operation: BankOperation) throws {
        let text =
            #"{"fault":"latency","operation":"\#(operation)","count":3,"probability":0.5,"milliseconds":250}"#
        let expected = Fault(kind: .latency, operation: operation, count: 3, probability: 0.5, milliseconds: 250)
        #expect(try read(text) == expected)
    }

    @Test(
        "nonsense is refused",
        arguments: [
            "[]", "{}", #"{"fault":"unknown"}"#, #"{"fault":1}"#, #"{"fault":"down","operation":"capture "}"#,
            #"{"fault":"down","operation":1}"#, #"{"fault":"down","count":0}"#, #"{"fault":"down","count":1.5}"#,
            #"{"fault":"down","count":"1"}"#, #"{"fault":"down","probability":0}"#,
            #"{"fault":"down","probability":1.01}"#,
            #"{"fault":"down","probability":"1"}"#, #"{"fault":"down","milliseconds":-1}"#, #"{"fault":"latency"}"#,
            #"{"fault":"latency","milliseconds":86400001}"#, #"{"fault":"down","times":1}"#,
            #"{"fault":"status"}"#, #"{"fault":"status","status":199}"#, #"{"fault":"status","status":600}"#,
            #"{"fault":"status","status":"429"}"#, #"{"fault":"status","status":429,"body":{}}"#,
            #"{"fault":"status","status":429,"executes":1}"#, #"{"fault":"status","status":429,"headers":[]}"#,
            #"{"fault":"status","status":429,"headers":{"Retry-After":2}}"#,
            #"{"fault":"status","status":429,"headers":{"Retry After":"2"}}"#,
            #"{"fault":"status","status":429,"headers":{"":"2"}}"#,
            #"{"fault":"status","status":429,"headers":{"X":"a\r\nY: b"}}"#,
            #"{"fault":"status","status":429,"headers":{"Content-length":"2"}}"#,
            #"{"fault":"status","status":429,"headers":{"Transfer-Encoding":"chunked"}}"#,
            #"{"fault":"status","status":429,"headers":{"connection":"close"}}"#,
            #"{"fault":"status","status":429,"headers":{"a":"1","A":"2"}}"#,
            #"{"fault":"status","status":204,"body":"x"}"#, #"{"fault":"status","status":304,"body":"x"}"#,
            #"{"fault":"status","status":429,"style":"gzip"}"#, #"{"fault":"error-500","status":429}"#,
            #"{"fault":"error-500","executes":true}"#, #"{"fault":"reshape"}"#,
            #"{"fault":"reshape","style":"brotli"}"#, #"{"fault":"reshape","style":null}"#,
            #"{"fault":"reshape","style":"gzip","status":200}"#,
            #"{"fault":"latency","milliseconds":1,"style":"gzip"}"#,
        ]
    )
    func nonsense(text: String) {
        #expect(throws: Fault.Invalid.self) { try read(text) }
    }

    @Test("a status comes with header fields, a body and whether it executes, or with the usual ones")
    func status() throws {
        let text =
            #"{"fault":"status","status":429,"headers":{"Retry-After":"2","x":"\t"},"body":"","executes":true}"#
        let answer = StatusAnswer(status: 429, headers: ["Retry-After": "2", "x": "\t"], body: "", executes: true)
        #expect(try read(text) == Fault(kind: .status, answer: answer))
        #expect(
            try read(#"{"fault":"status","status":503}"#) == Fault(kind: .status, answer: StatusAnswer(status: 503))
        )
        let explicit = #"{"fault":"status","status":204,"headers":null,"body":null,"executes":null}"#
        #expect(try read(explicit) == Fault(kind: .status, answer: StatusAnswer(status: 204)))
    }

    @Test("every style of writing can be asked for", arguments: AnswerStyle.allCases)
    func style(style: AnswerStyle) throws {
        let text = #"{"fault":"reshape","style":"\#(style.rawValue)"}"#
        #expect(try read(text) == Fault(kind: .reshape, style: style))
    }

    @Test("over HTTP nonsense is a JSON error and adds nothing", arguments: ["", "{", "{}", #"{"fault":"down"} x"#])
    func overHTTP(body: String) async throws {
        let fixture = SimulatorFixture()
        let answer = try await fixture.send("POST", "/faults", body)
        #expect(answer?.status == 400)
        #expect(answer?.code == "invalid_request")
        #expect(try await fixture.send("GET", "/faults")?.body == #"{"faults":[]}"#)
    }

    @Test("faults are listed with their number and what is left of them, and deleted all at once")
    func list() async throws {
        let fixture = SimulatorFixture()
        let added = try await fixture.send("POST", "/faults", #"{"fault":"error-500","operation":"get","count":2}"#)
        #expect(added?.status == 201)
        try await fixture.fault(#"{"fault":"down","operation":"capture","probability":0.5,"milliseconds":7}"#)
        _ = try await fixture.send("GET", "/api/v1/captures/cap_1")
        let listed = try await fixture.send("GET", "/faults")?.body
        let expected =
            #"{"faults":[{"count":2,"fault":"error-500","id":1,"milliseconds":null,"operation":"get","probability":1.0,"#
            + #""remaining":1},{"count":null,"fault":"down","id":2,"milliseconds":7,"operation":"capture","#
            + #""probability":0.5,"remaining":null}]}"#
        #expect(listed == expected)
        _ = try await fixture.send("GET", "/api/v1/captures/cap_1")
        #expect(try await fixture.send("DELETE", "/faults")?.body == #"{"deleted":1}"#)
        #expect(try await fixture.send("GET", "/faults")?.body == #"{"faults":[]}"#)
    }

    @Test("the list says what a status and a reshaped answer will be")
    func listDetails() async throws {
        let fixture = SimulatorFixture()
        try await fixture.fault(
            #"{"fault":"status","status":429,"headers":{"Retry-After":"2","A":"\""},"executes":true}"#
        )
        try await fixture.fault(#"{"fault":"reshape","style":"bom"}"#)
        let listed = try await fixture.send("GET", "/faults")?.body
        let expected =
            #"{"faults":[{"body":"{\"error\":\"too_many_requests\",\"message\":\"too many requests\"}","count":null,"#
            + #""executes":true,"fault":"status","headers":{"A":"\"","Retry-After":"2"},"id":1,"milliseconds":null,"#
            + #""operation":"any","probability":1.0,"remaining":null,"status":429},"#
            + #"{"count":null,"fault":"reshape","id":2,"milliseconds":null,"operation":"any","probability":1.0,"#
            + #""remaining":null,"style":"bom"}]}"#
        #expect(listed == expected)
    }
}

import Testing

@testable import BankSimulator

@Suite("Drawing faults", .timeLimit(.minutes(1)))
struct FaultTableTests {
    private var table = FaultTable()
    private var generator = SplitMix64(seed: 5)

    private mutating func draw(
        _ operation: BankOperation?,
        storesKey: Bool = true,
        followsAuthorization: Bool = false
    ) -> FaultPlan {
        let subject = FaultSubject(
            operation: operation,
            storesKey: storesKey,
            followsAuthorization: followsAuthorization
        )
        return table.draw(for: subject, using: &generator)
    }

    @Test("a fault hits its own operation, as often as it was asked for")
    mutating func countAndOperation() {
        _ = table.add(Fault(kind: .dropBefore, operation: .capture, count: 2))
        #expect(draw(.void).ending == nil)
        #expect(draw(.capture).ending?.kind == .dropBefore)
        #expect(draw(nil).ending == nil)
        let fault = Fault(kind: .dropBefore, operation: .capture, count: 2)
        #expect(draw(.capture) == FaultPlan(ending: fault, name: "drop-before"))
        #expect(draw(.capture) == FaultPlan())
        #expect(table.entries.isEmpty)
    }

    @Test("only down reaches what is no operation, and only when it is aimed at any")
    mutating func health() {
        for kind in FaultKind.allCases where kind != .down { _ = table.add(Fault(kind: kind, milliseconds: 1)) }
        _ = table.add(Fault(kind: .down, operation: .get))
        #expect(draw(nil, storesKey: false) == FaultPlan())
        _ = table.add(Fault(kind: .down))
        #expect(draw(nil, storesKey: false).ending?.kind == .down)
    }

    @Test("modifiers add up and go with the first of the others; what does not hit is not counted")
    mutating func combination() {
        _ = table.add(Fault(kind: .latency, count: 1, milliseconds: 10))
        _ = table.add(Fault(kind: .dropAfter, count: 1))
        _ = table.add(Fault(kind: .garbage, count: 1))
        _ = table.add(Fault(kind: .loseKey, count: 1))
        _ = table.add(Fault(kind: .latency, count: 1, milliseconds: 5))
        let plan = draw(.capture)
        #expect(plan.ending?.kind == .dropAfter && plan.latency == 15 && plan.losesKey)
        #expect(plan.name == "latency,drop-after,lose-key,latency")
        #expect(table.entries.map(\.fault.kind) == [.garbage])
        #expect(draw(.capture).ending?.kind == .garbage)
    }

    @Test("lose-key waits for a request that would store a key")
    mutating func loseKey() {
        _ = table.add(Fault(kind: .loseKey, count: 1))
        #expect(!draw(.get, storesKey: false).losesKey)
        #expect(!draw(.capture, storesKey: false).losesKey)
        #expect(draw(.capture).losesKey)
        #expect(!draw(.capture).losesKey)
    }

    @Test("same-id waits for an authorize that executes and comes after another one")
    mutating func sameID() {
        _ = table.add(Fault(kind: .sameID, count: 1))
        #expect(draw(.authorize).ending == nil)
        #expect(draw(.authorize, storesKey: false, followsAuthorization: true).ending == nil)
        #expect(draw(.capture, followsAuthorization: true).ending == nil)
        #expect(draw(.authorize, followsAuthorization: true).ending?.kind == .sameID)
        #expect(draw(.authorize, followsAuthorization: true).ending == nil)
    }

    @Test("a probability hits about as often as it says")
    mutating func probability() {
        _ = table.add(Fault(kind: .error500, probability: 0.25))
        var hits = 0
        for _ in 0..<4_000 where draw(.capture).ending != nil { hits += 1 }
        #expect((900...1_100).contains(hits))
    }
}

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

import Testing

@testable import BankSimulator

@Suite("Asking for a fault", .timeLimit(.minutes(1)))
struct FaultRequestTests {
    private func read(_ text: String) throws -> Fault {
        try Fault(json: JSONParser.onlyValue(in: Array(text.utf8)))
    }

    @Test("all but the fault has a default", arguments: FaultKind.allCases.filter { $0 != .latency })
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
        ]
    )
    func nonsense(text: String) {
        #expect(throws: Fault.Invalid.self) { try read(text) }
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
}

import Testing

@testable import Core

/// What the bank's answers say about an operation that an operator wants to end.
@Suite("The bank's testimony", .timeLimit(.minutes(1)))
struct TestimonyTests {
    private static func key(_ answer: BankAnswer, _ kind: OperationKind) throws -> KeyTestimony? {
        KeyTestimony(
            answer,
            about: try PaymentFixture.operation(kind, .needsAttention),
            of: try PaymentFixture.held(by: kind)
        )
    }

    private static func replay(_ body: JSONValue, isReplayed: Bool = true) -> BankAnswer {
        .response(BankResponse(status: 200, body: .json(body), isReplayed: isReplayed))
    }

    @Test("a replayed success of what was asked for says that it was executed", arguments: OperationKind.allCases)
    func executed(kind: OperationKind) throws {
        let response = BankResponse(status: 200, body: .json(BankFixture.success(kind)), isReplayed: true)
        #expect(try Self.key(.response(response), kind) == .executed(BankFixture.effect(kind), response))
    }

    @Test("a replay of another amount or id is none of this operation", arguments: BankFixture.mismatches)
    func mismatch(example: Named<(kind: OperationKind, body: JSONValue, field: String)>) throws {
        let (kind, body, field) = example.value
        #expect(try Self.key(Self.replay(body), kind) == .other(reason: "bank_echoed_other_\(field)"))
    }

    @Test("a success that cannot be read, or that is no replay, is none either")
    func unreadable() throws {
        for example in BankFixture.unreadable {
            let (kind, body) = example.value
            #expect(try Self.key(Self.replay(body), kind) == .other(reason: "success_unreadable"), "\(example)")
        }
        let pending = BankFixture.success(.capture, ["status": .string("pending")])
        #expect(try Self.key(Self.replay(pending), .capture) == .other(reason: "success_status_other"))
        let fresh = Self.replay(BankFixture.success(.capture), isReplayed: false)
        #expect(try Self.key(fresh, .capture) == .other(reason: "inquiry_not_replayed"))
    }

    @Test("a refusal of the empty request says that the bank knows nothing under the key")
    func unknownKey() throws {
        for code in ["invalid_card", "authorization_not_found", "capture_not_found"] {
            #expect(try Self.key(.response(BankFixture.error(code, status: 400)), .capture) == .unknown)
        }
    }

    @Test(
        "what says nothing about the key is no testimony",
        arguments: [
            .notSent(reason: "connect_failed"), .noAnswer(reason: "timed_out"),
            .response(BankFixture.error("internal_error", status: 500)),
            .response(BankFixture.error("internal_error", status: 400)),
            .response(BankFixture.error("slow_down", status: 429)), .response(BankFixture.error("who", status: 401)),
            .response(BankResponse(status: 200, body: .text("<html>"), isReplayed: true)),
            .response(BankResponse(status: 400, body: .text("no"))),
        ] as [BankAnswer]
    )
    func noTestimony(answer: BankAnswer) throws {
        #expect(try Self.key(answer, .capture) == nil)
    }

    @Test("what the bank has under an id must be what was asked for")
    func byID() throws {
        let payment = try PaymentFixture.held(by: .capture)
        func testimony(_ answer: BankAnswer, _ id: String = "cap_1", isMissingProof: Bool = true) -> IDTestimony? {
            IDTestimony(answer, to: id, about: .capture, of: payment, isMissingProof: isMissingProof)
        }
        let response = BankResponse(status: 200, body: .json(BankFixture.success(.capture)))
        #expect(testimony(.response(response)) == .found(BankFixture.effect(.capture), response))
        #expect(testimony(.response(response), "cap_2") == .differs(reason: "bank_echoed_other_id"))
        let other = BankFixture.success(.capture, ["amount": .integer(1)])
        #expect(testimony(Self.replay(other)) == .differs(reason: "other_amount"))
        #expect(testimony(Self.replay(.object([:]))) == .differs(reason: "unreadable"))
        let missing = BankAnswer.response(BankFixture.error("not_found", status: 404))
        #expect(testimony(missing) == .unknown)
        #expect(testimony(missing, isMissingProof: false) == nil)
        #expect(testimony(.response(BankFixture.error("internal_error", status: 500))) == nil)
        #expect(testimony(.noAnswer(reason: "timed_out")) == nil)
    }
}

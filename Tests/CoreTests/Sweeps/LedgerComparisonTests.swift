import Testing

@testable import Core

@Suite("Our ledger against the bank's answers", .timeLimit(.minutes(1)))
struct LedgerComparisonTests {
    private static func answer(_ body: JSONValue, status: Int = 200) -> BankAnswer {
        .response(BankResponse(status: status, body: .json(body)))
    }

    private static let authorization = answer(BankFixture.success(.authorize))
    private static let capture = answer(BankFixture.success(.capture))
    private static let missing = answer(.object(["error": .string("not_found")]), status: 404)

    private func agrees(
        _ status: PaymentStatus,
        _ answers: [BankAnswer],
        isMissingProof: Bool = true
    ) throws -> Bool? {
        let payment = try PaymentFixture.payment(status)
        #expect(LedgerComparison.questions(about: payment).count == answers.count)
        return LedgerComparison(payment, answers, isMissingProof: isMissingProof).agrees
    }

    @Test("what the bank says as we have it agrees")
    func agree() throws {
        #expect(try agrees(.failed, []) == true)
        #expect(try agrees(.authorized, [Self.authorization]) == true)
        #expect(try agrees(.captured, [Self.authorization, Self.capture]) == true)
    }

    @Test("another amount, another id, or nothing at all where the bank is well, differs")
    func differ() throws {
        let other = Self.answer(BankFixture.success(.authorize, ["amount": .integer(4_999)]))
        #expect(try agrees(.authorized, [other]) == false)
        let foreign = Self.answer(BankFixture.success(.capture, ["authorization_id": .string("auth_9")]))
        #expect(try agrees(.captured, [Self.authorization, foreign]) == false)
        #expect(try agrees(.captured, [Self.authorization, Self.missing]) == false)
        // A difference is one whatever else is not known.
        #expect(try agrees(.captured, [.noAnswer(reason: "timeout"), Self.missing]) == false)
    }

    @Test("an operation under way, or no answer, cannot be said")
    func unknown() throws {
        #expect(try agrees(.pending, []) == nil)
        #expect(try agrees(.capturing, [Self.authorization]) == nil)
        #expect(try agrees(.authorized, [.noAnswer(reason: "timeout")]) == nil)
        #expect(try agrees(.authorized, [Self.missing], isMissingProof: false) == nil)
        let trouble = Self.answer(.object(["error": .string("internal_error")]), status: 500)
        #expect(try agrees(.authorized, [trouble]) == nil)
    }

    @Test("its JSON has the keys of the contract")
    func json() throws {
        let payment = try PaymentFixture.payment(.authorized)
        let json = LedgerComparison(payment, [Self.authorization], isMissingProof: true).json
        guard case .object(let members) = json else { return }
        #expect(members.keys.sorted() == ["agrees", "bank", "id", "ours", "possible_orphan"])
        #expect(json["possible_orphan"] == .null)
        let orphan = LedgerComparison(payment, orphan: .suspected, [Self.authorization], isMissingProof: true)
        #expect(orphan.json["possible_orphan"]?.string == "suspected" && orphan.agrees == true)
        #expect(json["ours"] == payment.json)
        #expect(json["bank"]?["authorization"]?["authorization_id"]?.string == "auth_1")
        #expect(json["bank"]?["capture"] == .null)
    }
}

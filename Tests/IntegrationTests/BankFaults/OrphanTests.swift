import Core
import TestSupport
import Testing

// Not audited: that the ledgers differ is what these are about.
@Suite("Holds that the bank forgot", .timeLimit(.minutes(10)))
struct OrphanTests {
    private static let settings = World.Settings(processor: World.shortLease, deadLetters: nil, isAudited: false)

    @Test(
        "a hold whose key the bank lost is recorded as a possible orphan, and the second one is the payment's"
    )
    func lostKey() async throws {
        try await World.run(Self.settings) { world in
            let processor = try await world.startProcessor()
            try await world.bank.fault("lose-key", on: .authorize)
            try await world.bank.fault("drop-after", on: .authorize)
            let command = TestCommand.authorize()
            let reply = try await world.ask(command)
            #expect(reply.result == "succeeded")
            let ledger = try await world.bank.ledger()
            #expect(ledger.map(\.operation) == ["authorize", "authorize"])
            #expect(Set(ledger.map(\.bankKey)).count == 1)
            let known = reply.json["payment"]?["bank"]?["authorization_id"]?.string
            #expect(known == ledger.last?.bankID)
            let causes = try await world.database.rows("SELECT cause FROM payment_history ORDER BY version")
            #expect(causes.last?["cause"]?.string?.contains("orphan") == true)
            let web = try await processor.admin()
            #expect(try await web.text("/metrics").contains("payments_possible_orphans_total 1"))
            await web.shutdown()
            try await processor.logged("may have left a second hold", "level=warning")
        }
    }

    @Test(
        "a decline after an unanswered authorize is final; the hold that it may be due to is recorded",
        arguments: [(TestCard.empty, "insufficient_funds", 1), (.expired, "card_expired", 0)]
    )
    func declineAfterAmbiguous(card: TestCard, code: String, orphans: Int) async throws {
        try await World.run(Self.settings) { world in
            _ = try await world.startProcessor()
            try await world.bank.fault("drop-before", on: .authorize)
            let reply = try await world.ask(.authorize(card: card))
            #expect(reply.result == "declined \(code)")
            #expect(reply.isFinal)
            #expect(reply.paymentStatus == "FAILED")
            let states = try await world.database.rows("SELECT state FROM operations")
            #expect(states.map { $0["state"]?.string } == ["DECLINED"])
            let grades = try await world.database.rows("SELECT grade FROM possible_orphans")
            #expect(grades.map { $0["grade"]?.string } == Array(repeating: "suspected", count: orphans))
            #expect(try await world.bank.ledger().isEmpty)
        }
    }
}

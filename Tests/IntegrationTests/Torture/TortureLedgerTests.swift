import Core
import TestSupport
import Testing

extension CommandLane {
    @Suite("The ledgers of the torture", .timeLimit(.minutes(5)))
    struct TortureLedgerTests {
        @Test("agree when nothing is wrong, and what is wrong is named")
        func named() async throws {
            let settings = World.Settings(isAudited: false)
            try await World.run(settings) { world in
                try await world.startProcessor()
                let captured = TestCommand.authorize()
                let capture = TestCommand.capture(captured.paymentID)
                let held = TestCommand.authorize()
                let late = TestCommand.capture(Random.id)
                let steps: [(TestCommand, Set<String>)] = [
                    (captured, ["succeeded"]), (capture, ["succeeded"]), (held, ["succeeded"]),
                ]
                for (command, _) in steps { try await world.ask(command) }
                let purchase = TortureCustomers.Purchase(steps: steps)
                func differences(_ purchases: TortureCustomers.Purchase...) async throws -> [String] {
                    try await TortureLedgers(world: world, purchases: purchases).report().differences
                }
                #expect(try await differences(purchase) == [])

                let unanswered = TortureCustomers.Purchase(steps: [(late, ["succeeded"])])
                #expect(try await differences(unanswered).contains { $0.hasSuffix("has no final reply") })
                try await world.ask(late)
                #expect(
                    try await differences(unanswered).contains {
                        $0.contains("answered 'rejected payment_not_found', not")
                    }
                )

                try await world.database.execute(
                    "UPDATE operations SET reply = '{}' WHERE idempotency_key = '\(capture.key)'"
                )
                #expect(try await differences(purchase).contains { $0.hasSuffix("another way than is stored") })
                let bankKey = try await world.database.rows(
                    "SELECT bank_key FROM operations WHERE idempotency_key = '\(held.key)'"
                ).first?["bank_key"]?.string
                try await world.database.execute(
                    "UPDATE operations SET bank_key = 'another' WHERE idempotency_key = '\(held.key)'"
                )
                let moved = try await differences(purchase)
                #expect(moved.contains { $0.hasSuffix("is SUCCEEDED, 0 effects") })
                #expect(moved.contains("bank: 1 effects under the unknown key \(bankKey ?? "")"))
                try await world.database.execute(
                    """
                    UPDATE operations SET state = 'UNKNOWN', reply = NULL, completed_at = NULL
                    WHERE idempotency_key = '\(held.key)'
                    """
                )
                #expect(try await differences(purchase).contains { $0.contains(" is open: UNKNOWN") })
            }
        }
    }
}

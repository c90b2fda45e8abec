import Core
import TestSupport
import Testing

extension CommandLane {
    /// Every other test relies on the audit to notice what it does not look for itself.
    @Suite("The audit", .timeLimit(.minutes(10)))
    struct AuditTests {
        struct Harm: Sendable, CustomTestStringConvertible {
            let testDescription: String
            let sql: String
        }

        static let harms = [
            Harm(
                testDescription: "a step of the history missing",
                sql: "DELETE FROM payment_history WHERE version = 2"
            ),
            Harm(testDescription: "an effect that we do not know of", sql: "DELETE FROM bank_effects"),
            Harm(
                testDescription: "an operation under another bank key",
                sql: "UPDATE operations SET bank_key = 'other'"
            ),
            Harm(
                testDescription: "an operation left open",
                sql: "UPDATE operations SET state = 'UNKNOWN', reply = NULL, completed_at = NULL"
            ),
            Harm(testDescription: "another bank id", sql: "UPDATE payments SET bank_authorization_id = 'auth_other'"),
            Harm(testDescription: "another amount", sql: "UPDATE payments SET amount = amount + 1"),
            Harm(
                testDescription: "a card number in a text",
                sql: "UPDATE payments SET order_id = 'x 4111111111111111'"
            ),
            Harm(
                testDescription: "a card number in bytes",
                sql: "UPDATE operations SET reply = '4111111111111111'::bytea"
            ),
            Harm(testDescription: "a CVV", sql: #"UPDATE payments SET order_id = '{"cvv":"123"}'"#),
        ]

        @Test("finds nothing wrong where nothing is, and notices each kind of harm", arguments: harms)
        func notices(_ harm: Harm) async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                try await world.startProcessor()
                _ = try await world.authorized()
                try await Audit(world).run()
                try await world.database.execute(harm.sql)
                await withKnownIssue { try await Audit(world).run() }
            }
        }

        @Test("notices an effect at the bank that no operation has asked for")
        func extraEffect() async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                try await world.startProcessor()
                _ = try await world.authorized()
                let authorization = try #require(try await world.bank.ledger().first?.authorizationID)
                try await world.bank.voidBehindOurBack(authorization)
                await withKnownIssue { try await Audit(world).run() }
                #expect(try await world.bank.ledger().count == 2)
            }
        }
    }
}

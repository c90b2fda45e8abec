import Core
import TestSupport
import Testing

/// Compares what customers were told, what our database says and what the bank has done.
struct TortureLedgers {
    let world: World
    let purchases: [TortureCustomers.Purchase]

    struct Report: Sendable {
        /// What does not agree, a line each.
        let differences: [String]
        /// Holds at the bank beyond the first of their key, all of them on record as suspected.
        let secondHolds: Int
        /// Payments on record as suspected of a second hold.
        let suspected: Int
    }

    func report() async throws -> Report {
        let operations = try await world.database.rows(
            """
            SELECT idempotency_key, kind, payment_id, bank_key, state, last_error, convert_from(reply, 'UTF8') AS reply
            FROM operations
            """
        )
        let orphans = try await world.database.rows("SELECT payment_id FROM possible_orphans WHERE grade = 'suspected'")
        let suspected = Set(orphans.compactMap { $0["payment_id"]?.string })
        let ledger = try await world.bank.ledger()
        let ours = Dictionary(operations.map { ($0["idempotency_key"]?.string ?? "", $0) }) { first, _ in first }
        let holds = ledger.filter { $0.operation == "authorize" }
        return Report(
            differences: replies(ours) + open(operations) + effects(operations, ledger, suspected) + order(ledger),
            secondHolds: holds.count - Set(holds.map(\.bankKey)).count,
            suspected: suspected.count
        )
    }

    /// Every command has a final reply, the one that had to come, always the same, and the one that is stored.
    private func replies(_ ours: [String: JSONValue]) -> [String] {
        var differences: [String] = []
        for purchase in purchases {
            for (index, (command, results)) in purchase.steps.enumerated() {
                let second =
                    purchase.confirmed.indices.contains(index) ? purchase.confirmed[index].components.seconds : 0
                let name = "\(command.kind) of \(command.paymentID) (key \(command.key), confirmed at \(second) s)"
                let finals = world.upstream.replies(to: command.correlation).filter(\.isFinal)
                guard let reply = finals.first else {
                    differences.append("client: \(name) has no final reply")
                    continue
                }
                if !results.contains(reply.result) {
                    differences.append("client: \(name) was answered '\(reply.result)', not \(results.sorted())")
                }
                if !finals.allSatisfy({ $0.body == reply.body }) {
                    differences.append("client: \(name) was answered in \(Set(finals.map(\.body)).count) ways")
                }
                if let stored = ours[command.key]?["reply"]?.string, stored != reply.body {
                    differences.append("client and database: \(name) was answered another way than is stored")
                }
                if ours[command.key] == nil {
                    differences.append("database: nothing is known of \(name), answered '\(reply.result)'")
                }
            }
        }
        return differences
    }

    private func open(_ operations: [JSONValue]) -> [String] {
        operations.filter { ["SENT", "UNKNOWN", "NEEDS_ATTENTION"].contains($0["state"]?.string) }.map {
            "database: \(Self.name($0)) is open: \($0["state"]?.string ?? "") \($0["last_error"]?.string ?? "")"
        }
    }

    /// What succeeded has one effect at the bank under its key, and nothing else has any; a second hold is recorded.
    private func effects(
        _ operations: [JSONValue],
        _ ledger: [BankProcess.LedgerEntry],
        _ suspected: Set<String>
    ) -> [String] {
        var differences: [String] = []
        var left = Dictionary(grouping: ledger, by: \.bankKey)
        for operation in operations {
            let found = left.removeValue(forKey: operation["bank_key"]?.string ?? "") ?? []
            let isSuspected = suspected.contains(operation["payment_id"]?.string ?? "")
            switch (operation["state"]?.string, found.count) {
            case ("SUCCEEDED", 1), ("DECLINED", 0), ("REJECTED", 0): break
            case ("SUCCEEDED", 2...) where isSuspected && found.allSatisfy { $0.operation == "authorize" }: break
            case ("DECLINED", 1...) where isSuspected && found.allSatisfy { $0.operation == "authorize" }: break
            case (let state, let count):
                differences.append("database and bank: \(Self.name(operation)) is \(state ?? ""), \(count) effects")
            }
        }
        for (key, entries) in left { differences.append("bank: \(entries.count) effects under the unknown key \(key)") }
        return differences
    }

    /// The effects of one hold came in an order that makes sense, each once.
    private func order(_ ledger: [BankProcess.LedgerEntry]) -> [String] {
        let legal: Set<[String]> = [
            ["authorize"], ["authorize", "capture"], ["authorize", "capture", "refund"], ["authorize", "void"],
        ]
        return Dictionary(grouping: ledger, by: \.authorizationID).compactMap { id, entries in
            let path = entries.map(\.operation)
            return legal.contains(path) ? nil : "bank: \(id) went \(path.joined(separator: ", "))"
        }
    }

    private static func name(_ operation: JSONValue) -> String {
        ["kind", "payment_id", "idempotency_key"].map { operation[$0]?.string ?? "-" }.joined(separator: " ")
    }
}

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

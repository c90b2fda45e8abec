import Core
import TestSupport

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

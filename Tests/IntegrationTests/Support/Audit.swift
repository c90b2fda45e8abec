import AMQP
import Core
import HTTPClient
import TestSupport
import Testing

/// What must hold after every test, whatever happened in it: the bank's ledger and our tables say the same, every payment has
/// taken a legal path (docs/correctness.md#invariants), nothing is left open or dead-lettered without the test's
/// knowing, and no card data is anywhere.
struct Audit {
    let world: World

    init(_ world: World) {
        self.world = world
    }

    func run() async throws {
        let ledger = try await world.bank.ledger()
        let operations = try await world.database.rows("SELECT * FROM operations")
        let payments = try await world.database.rows("SELECT * FROM payments")
        let effects = try await world.database.rows("SELECT * FROM bank_effects")
        let history = try await world.database.rows(
            "SELECT * FROM payment_history WHERE version IS NOT NULL ORDER BY payment_id, version"
        )
        checkOperations(operations, ledger)
        checkEffects(effects, operations, ledger)
        let byAuthorization = Dictionary(grouping: ledger, by: \.authorizationID)
        for payment in payments { checkPayment(payment, byAuthorization) }
        #expect(payments.count { !($0["bank_authorization_id"]?.isNull ?? true) } == byAuthorization.count)
        checkHistory(Dictionary(grouping: history) { $0["payment_id"]?.string ?? "" }, of: payments)
        try await checkDeadLetters()
        try await CardDataSearch(world).run()
    }

    /// Every operation that succeeded has its one effect under its own key, and there is no other effect.
    private func checkOperations(_ operations: [JSONValue], _ ledger: [BankProcess.LedgerEntry]) {
        let open = operations.filter { ["SENT", "UNKNOWN", "NEEDS_ATTENTION"].contains($0["state"]?.string) }
        #expect(open.map(Self.summary) == [], "operations are open")
        let succeeded = operations.filter { $0["state"]?.string == "SUCCEEDED" }
        let ours = succeeded.map { "\($0["kind"]?.string ?? "") \($0["bank_key"]?.string ?? "")" }
        let theirs = ledger.map { "\($0.operation) \($0.bankKey)" }
        #expect(ours.sorted() == theirs.sorted(), "operations that succeeded, and the bank's ledger")
    }

    private func checkEffects(
        _ effects: [JSONValue],
        _ operations: [JSONValue],
        _ ledger: [BankProcess.LedgerEntry]
    ) {
        let keys = Dictionary(
            operations.map { ($0["id"]?.string ?? "", $0["bank_key"]?.string ?? "") },
            uniquingKeysWith: { first, _ in first }
        )
        let ours = effects.map { effect in
            let key = keys[effect["operation_id"]?.string ?? ""] ?? ""
            return "\(effect["kind"]?.string ?? "") \(effect["bank_id"]?.string ?? "") \(key)"
        }
        let theirs = ledger.map { "\($0.operation) \($0.bankID) \($0.bankKey)" }
        #expect(ours.sorted() == theirs.sorted(), "recorded effects, and the bank's ledger")
    }

    /// The state and the ids of a payment follow from what the bank did.
    private func checkPayment(_ payment: JSONValue, _ ledger: [String: [BankProcess.LedgerEntry]]) {
        let id = payment["id"]?.string ?? ""
        let entries = ledger[payment["bank_authorization_id"]?.string ?? ""] ?? []
        let done = Dictionary(entries.map { ($0.operation, $0.bankID) }) { first, _ in first }
        let expected =
            switch Set(done.keys) {
            case []: "FAILED"
            case ["authorize"]: payment["status"]?.string == "EXPIRED" ? "EXPIRED" : "AUTHORIZED"
            case ["authorize", "capture"]: "CAPTURED"
            case ["authorize", "capture", "refund"]: "REFUNDED"
            case ["authorize", "void"]: "VOIDED"
            default: "impossible: \(done.keys.sorted())"
            }
        #expect(payment["status"]?.string == expected, "payment \(id)")
        #expect(entries.count == done.count, "payment \(id) has an effect twice")
        for entry in entries where entry.operation != "void" {
            #expect(entry.amount == payment["amount"]?.integer, "payment \(id)")
        }
        for (operation, column) in Self.bankIDs {
            #expect(payment[column]?.string == done[operation], "payment \(id), \(column)")
        }
    }

    private func checkHistory(_ history: [String: [JSONValue]], of payments: [JSONValue]) {
        #expect(history.count == payments.count)
        for payment in payments {
            let id = payment["id"]?.string ?? ""
            let steps = history[id] ?? []
            let path = [""] + steps.map { $0["to_status"]?.string ?? "" }
            #expect(steps.map { $0["version"]?.integer } == (0..<steps.count).map { Int64($0 + 1) }, "payment \(id)")
            #expect(steps.map { $0["from_status"]?.string ?? "" } == path.dropLast(), "payment \(id)")
            #expect(path.last == payment["status"]?.string, "payment \(id)")
            for (from, to) in zip(path, path.dropFirst()) {
                #expect(Self.legalSteps.contains("\(from)>\(to)"), "payment \(id)")
            }
            for step in steps {
                #expect(step["cause"]?.string?.isEmpty == false, "payment \(id)")
                #expect(step["operation_id"]?.string != nil, "payment \(id)")
            }
        }
    }

    /// Those at the broker and those that the processor has moved into the database, each counted once: one that is kept already
    /// and not acknowledged yet is in both for a moment.
    private func checkDeadLetters() async throws {
        if let expected = world.settings.deadLetters {
            var found = 0
            _ = try? await eventually("there were \(expected) dead letters", within: .seconds(20)) {
                found = try await world.openDeadLetters()
                return found == expected
            }
            #expect(found == expected, "dead letters")
        }
        let unrouted = try await world.waiting(in: world.names.unrouted)
        #expect(unrouted == 0, "unrouted messages")
    }

    private static func summary(_ operation: JSONValue) -> String {
        ["kind", "state", "last_error", "idempotency_key"].map { operation[$0]?.string ?? "-" }.joined(separator: " ")
    }

    private static let bankIDs = [
        "authorize": "bank_authorization_id", "capture": "bank_capture_id", "void": "bank_void_id",
        "refund": "bank_refund_id",
    ]

    /// docs/correctness.md#states, written down once more on purpose.
    private static let legalSteps: Set<String> = [
        ">PENDING", "PENDING>AUTHORIZED", "PENDING>FAILED",
        "AUTHORIZED>CAPTURING", "CAPTURING>CAPTURED", "CAPTURING>AUTHORIZED", "CAPTURING>EXPIRED",
        "AUTHORIZED>VOIDING", "VOIDING>VOIDED", "VOIDING>AUTHORIZED", "VOIDING>EXPIRED",
        "CAPTURED>REFUNDING", "REFUNDING>REFUNDED", "REFUNDING>CAPTURED",
        "AUTHORIZED>EXPIRED", "EXPIRED>VOIDING",
    ]
}

/// Looks for card numbers and CVVs wherever the processor writes: tables, logs, metrics
/// (docs/correctness.md#no-card-data-at-rest).
struct CardDataSearch {
    private let world: World
    private let numbers: [String]
    private let words = TestCard.all.map(\.cvv)

    /// `numbers` are looked for beside those of the test cards.
    init(_ world: World, numbers: [String] = []) {
        self.world = world
        self.numbers = TestCard.all.map(\.number) + numbers
    }

    func run() async throws {
        for (place, text) in try await tables() + logs + metrics() {
            #expect(findings(in: text) == [], "card data in \(place)")
        }
    }

    /// All of every table. Bytes count as the texts that they are, but for digests and the numbers of bytes that
    /// are no text: any three digits turn up in those. Numbers of transactions, rows and runs may come to any three digits too.
    private func tables() async throws -> [(String, String)] {
        let columns = try await world.database.rows(
            """
            SELECT table_name, string_agg(
                CASE data_type WHEN 'bytea' THEN
                    format(
                        'CASE WHEN octet_length(%1$I) <> 32 THEN regexp_replace(encode(%1$I, ''escape''), %2$L, ''?'', ''g'') END',
                        column_name, '\\\\[0-9]{3}'
                    )
                ELSE format('%I::text', column_name) END, ', ') AS list
            FROM information_schema.columns
            WHERE table_schema = 'public' AND data_type <> 'xid8'
                AND (table_name, data_type) NOT IN (
                    ('outbox', 'bigint'), ('sweep_runs', 'bigint'), ('new_operations', 'bigint'),
                    ('waiting_commands', 'bigint'), ('dead_letter_replays', 'bigint'),
                    ('dead_letter_replay_items', 'integer')
                )
            GROUP BY table_name
            """
        )
        #expect(columns.count >= 4)
        var texts: [(String, String)] = []
        for table in columns {
            let name = table["table_name"]?.string ?? ""
            let rows = try await world.database.rows(
                "SELECT concat_ws(' | ', \(table["list"]?.string ?? "")) AS line FROM \(name)"
            )
            texts.append(("table \(name)", rows.map { $0["line"]?.string ?? "" }.joined(separator: "\n")))
        }
        return texts
    }

    /// Without their counts, which may come to any three digits.
    private var logs: [(String, String)] {
        world.allProcessors.map { processor in
            let text = processor.child.standardOutput + "\n" + processor.log
            let counts = /\s(count|selected|replayed|skipped|failed)=\d+/
            return ("the output of a processor", text.replacing(counts, with: ""))
        }
    }

    private func metrics() async throws -> [(String, String)] {
        var texts: [(String, String)] = []
        for processor in world.allProcessors where processor.child.isRunning {
            let web = try await processor.admin()
            let text = String(decoding: try await web.send(.get, "/metrics").body, as: UTF8.self)
            // The values are counts too.
            let names = text.split(separator: "\n").map { $0.split(separator: " ").dropLast().joined(separator: " ") }
            texts.append(("the metrics", names.joined(separator: "\n")))
            await web.shutdown()
        }
        return texts
    }

    /// A number counts anywhere, a CVV only as a word of its own: its three digits are part of many a time and id.
    private func findings(in text: String) -> [String] {
        text.split(separator: "\n").flatMap { line in
            let found = numbers.filter { line.contains($0) } + words.filter { Self.hasWord($0, in: line) }
            return found.map { "\($0): \(line)" }
        }
    }

    private static func hasWord(_ word: String, in line: Substring) -> Bool {
        line.ranges(of: word).contains { range in
            let before = range.lowerBound > line.startIndex ? line[line.index(before: range.lowerBound)] : " "
            let after = range.upperBound < line.endIndex ? line[range.upperBound] : " "
            return !isPartOfWord(before) && !isPartOfWord(after)
        }
    }

    private static func isPartOfWord(_ character: Character) -> Bool {
        character.isLetter || character.isNumber || ".-_".contains(character)
    }
}

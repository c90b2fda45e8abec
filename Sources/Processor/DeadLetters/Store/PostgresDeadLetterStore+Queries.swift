import Core
import Postgres

extension PostgresDeadLetterStore: DeadLetterQueries {
    func deadLetters(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetter] {
        let condition = DeadLetterCondition(filter)
        return try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                """
                SELECT \(DeadLetterRow.columns) FROM dead_letters \(condition.clause)
                ORDER BY dead_lettered_at DESC, id DESC LIMIT \(limit)
                """,
                condition.parameters
            )
            var deadLetters: [DeadLetter] = []
            for row in rows { deadLetters.append(try DeadLetterRow.deadLetter(from: row)) }
            return deadLetters
        }
    }

    func deadLetter(_ id: DeadLetterID) async throws(StoreError) -> DeadLetterView? {
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            guard let deadLetter = try Self.deadLetter(id, on: connection) else { return nil }
            let key = PostgresValue.uuid(PostgresUUID(id.value))
            let entries = try connection.execute(
                """
                SELECT at, actor, action, result, reason FROM dead_letter_audit
                WHERE dead_letter_id = $1 ORDER BY position
                """,
                [key]
            )
            var audit: [DeadLetterAuditEntry] = []
            for entry in entries {
                audit.append(
                    DeadLetterAuditEntry(
                        at: Timestamp(microseconds: try entry.timestamp(0)),
                        actor: try entry.text(1),
                        action: try entry.text(2),
                        result: try entry.text(3),
                        reason: try entry.optionalText(4)
                    )
                )
            }
            let operation = try Self.ownOperation(of: deadLetter, on: connection)
            return DeadLetterView(deadLetter: deadLetter, audit: audit, operation: operation?.state)
        }
    }

    func deadLetterIDs(_ selection: DeadLetterSelection) async throws(StoreError) -> [DeadLetterID] {
        let condition: DeadLetterCondition
        let bound: String
        switch selection {
        case .ids(let ids): (condition, bound) = (DeadLetterCondition(ids: ids), "")
        case .matching(let filter, let limit):
            (condition, bound) = (DeadLetterCondition(filter), limit.map { "LIMIT \($0)" } ?? "")
        }
        return try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                "SELECT id FROM dead_letters \(condition.clause) ORDER BY dead_lettered_at, id \(bound)",
                condition.parameters
            )
            var ids: [DeadLetterID] = []
            for row in rows { ids.append(DeadLetterID(UniqueID(try row.uuid(0)))) }
            return ids
        }
    }

    func replayStep(of id: DeadLetterID) async throws(StoreError) -> ReplayStep {
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            guard let deadLetter = try Self.deadLetter(id, on: connection) else { return .skip(.notFound) }
            let operation = try Self.ownOperation(of: deadLetter, on: connection)
            return ReplayDecision(deadLetter, operation: operation, now: try Self.clock(of: connection)).step
        }
    }

    func discardOutcome(of id: DeadLetterID) async throws(StoreError) -> DiscardOutcome {
        try await pool.storeTransaction(.snapshot) { connection throws(PostgresError) in
            guard let deadLetter = try Self.deadLetter(id, on: connection) else { return .notFound }
            return DiscardOutcome(
                discarding: deadLetter,
                operation: try Self.ownOperation(of: deadLetter, on: connection)
            )
        }
    }

    private static func clock(of connection: isolated PostgresConnection) throws(PostgresError) -> Timestamp {
        Timestamp(microseconds: try connection.execute("SELECT clock_timestamp()").single().timestamp(0))
    }

    private static func deadLetter(
        _ id: DeadLetterID,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> DeadLetter? {
        let key = PostgresValue.uuid(PostgresUUID(id.value))
        let rows = try connection.execute("SELECT \(DeadLetterRow.columns) FROM dead_letters WHERE id = $1", [key])
        guard let row = rows.first else { return nil }
        return try DeadLetterRow.deadLetter(from: row)
    }

    func unfinishedDeadLetters() async throws(StoreError) -> [String: Int] {
        try await pool.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute(
                "SELECT code, count(*) FROM dead_letters WHERE state IN ('open', 'replaying') GROUP BY code"
            )
            var counts: [String: Int] = [:]
            for row in rows { counts[try row.text(0)] = Int(try row.int64(1)) }
            return counts
        }
    }
}

/// A `WHERE` with nothing in it but what was asked for, so that the planner finds the index for it.
struct DeadLetterCondition: Sendable {
    private var terms: [String] = []
    private(set) var parameters: [PostgresValue] = []

    var clause: String { terms.isEmpty ? "" : "WHERE " + terms.joined(separator: " AND ") }

    init(ids: [DeadLetterID]) {
        add("id = ANY ($)", .uuidArray(ids.map { PostgresUUID($0.value) }))
    }

    init(_ filter: DeadLetterFilter) {
        if let states = filter.states { addStates(states) }
        if let code = filter.code { add("code = $", .text(code)) }
        if let message = filter.message { add("message = $", .text(message)) }
        if let kind = filter.kind { add("operation = $", .text(kind.rawValue)) }
        if let merchant = filter.merchantID { add("merchant_id = $", .text(merchant.description)) }
        if let payment = filter.paymentID { add("payment_id = $", .uuid(PostgresUUID(payment.value))) }
        if let order = filter.orderID {
            add("payment_id IN (SELECT p.id FROM payments p WHERE p.order_id = $)", .text(order))
        }
        if let last = filter.before {
            add("(dead_lettered_at, id) < ($, ", .timestamp(last.at.microseconds))
            parameters.append(.uuid(PostgresUUID(last.id.value)))
            terms[terms.count - 1] += "$\(parameters.count))"
        }
        if let age = filter.olderThan { addAge("<", age) }
        if let age = filter.newerThan { addAge(">", age) }
    }

    private mutating func add(_ term: String, _ value: PostgresValue) {
        parameters.append(value)
        terms.append(term.replacing("$", with: "$\(parameters.count)"))
    }

    private mutating func addStates(_ states: Set<DeadLetterState>) {
        // One that is being replayed is open when its lease is over.
        let stored = states.contains(.open) ? states.union([.replaying]) : states
        // Names of our own, as the partial index has them: no parameter could be matched with it.
        let names = DeadLetterState.allCases.filter(stored.contains).map { "'\($0.rawValue)'" }
        terms.append(names.isEmpty ? "false" : "state IN (\(names.joined(separator: ", ")))")
        switch (states.contains(.open), states.contains(.replaying)) {
        case (true, false): terms.append("(state <> 'replaying' OR coalesce(replay_until <= now(), true))")
        case (false, true): terms.append("(state <> 'replaying' OR replay_until > now())")
        case (true, true), (false, false): break
        }
    }

    private mutating func addAge(_ comparison: String, _ age: Duration) {
        add("dead_lettered_at \(comparison) now() - $ * interval '1 microsecond'", .int8(age.microseconds))
    }
}

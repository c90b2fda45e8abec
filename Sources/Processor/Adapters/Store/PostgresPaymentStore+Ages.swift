import Core
import Postgres

/// How long the oldest of what waits has been waiting; zero where nothing waits.
struct QueueAges: Hashable, Sendable {
    /// By the label `queue`.
    var oldest: [QueueAge: Duration] = [:]
}

/// What waits, and whose age the database knows. The broker tells depths, but no ages of messages in quorum queues.
enum QueueAge: String, CaseIterable, Sendable {
    /// Commands on the retry tiers that have no operation yet.
    case retry
    /// Operations whose outcome is not stored.
    case operations
    case deadLetters = "dead-letters"

    /// The time since when its oldest has waited, found by an index, or among the few that are open.
    fileprivate var start: String {
        switch self {
        case .retry: "SELECT arrived_at FROM waiting_commands ORDER BY position LIMIT 1"
        case .operations:
            """
            SELECT min(o.created_at) FROM open_operations w
            JOIN operations o ON o.merchant_id = w.merchant_id AND o.idempotency_key = w.idempotency_key
            WHERE o.state IN ('SENT', 'UNKNOWN')
            """
        case .deadLetters:
            "SELECT min(dead_lettered_at) FROM dead_letters WHERE state IN ('open', 'replaying')"
        }
    }
}

extension PostgresPaymentStore {
    /// A column for each, in microseconds.
    static let agesStatement =
        "SELECT "
        + QueueAge.allCases.map { "(extract(epoch FROM clock_timestamp() - (\($0.start))) * 1000000)::bigint" }
        .joined(separator: ", ")

    func ages() async throws(StoreError) -> QueueAges {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            let row = try connection.execute(Self.agesStatement).single()
            var ages = QueueAges()
            for (position, queue) in QueueAge.allCases.enumerated() {
                ages.oldest[queue] = .microseconds(max(try row.optionalInt64(position) ?? 0, 0))
            }
            return ages
        }
    }
}

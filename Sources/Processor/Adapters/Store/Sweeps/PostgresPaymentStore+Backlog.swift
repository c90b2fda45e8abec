import Core
import Postgres

extension PostgresPaymentStore {
    /// How old the oldest reply or dead letter is, in microseconds (null where none waits), and how many events wait.
    static let outboxAgeStatement = """
        SELECT (extract(epoch FROM clock_timestamp() - min(created_at) FILTER (WHERE destination <> 'event')) * 1000000)::bigint,
            count(*) FILTER (WHERE destination = 'event')
        FROM outbox WHERE sent_at IS NULL
        """

    /// Open operations by kind.
    static let openStatement = """
        SELECT o.kind, count(*) FROM open_operations w
        JOIN operations o ON o.merchant_id = w.merchant_id AND o.idempotency_key = w.idempotency_key
        WHERE o.state IN ('SENT', 'UNKNOWN') GROUP BY o.kind
        """

    func backlog() async throws(StoreError) -> Backlog {
        try await collectNewOperations()
        let backlog = try await sweeps.storeTransaction { connection throws(PostgresError) in
            let rows = try connection.execute([
                PostgresStatement(Self.openStatement),
                PostgresStatement(Self.outboxAgeStatement),
            ])
            var backlog = Backlog()
            for row in rows[0] {
                backlog.open[try row.parsed(0, OperationKind.init(rawValue:))] = Int(try row.int64(1))
            }
            let outbox = try rows[1].single()
            backlog.outboxOldest = .microseconds(max(try outbox.optionalInt64(0) ?? 0, 0))
            backlog.eventsWaiting = Int(try outbox.int64(1))
            return backlog
        }
        room.note(eventsWaiting: backlog.eventsWaiting)
        return backlog
    }

    func preview(
        _ job: SweepJob,
        _ policy: SweepPolicy,
        expiredBy: Timestamp?
    ) async throws(StoreError) -> SweepReport {
        // What this collects is bookkeeping: nothing is checked by it.
        if job == .reconcile { try await collectNewOperations() }
        return try await sweeps.storeTransaction { connection throws(PostgresError) in
            let rows: PostgresResult
            switch job {
            case .reconcile:
                rows = try connection.execute(
                    """
                    SELECT count(*), count(*) FILTER (
                        WHERE o.kind = 'authorize' AND o.first_sent_at <= clock_timestamp() - $1 * interval '1 microsecond'
                            AND (o.ambiguous_sends + o.failed_sends > 0 OR o.state = 'SENT' OR w.checks >= $2)
                    )
                    FROM open_operations w
                    JOIN operations o ON o.merchant_id = w.merchant_id AND o.idempotency_key = w.idempotency_key
                    WHERE w.due_at <= clock_timestamp() AND o.lease_until <= clock_timestamp()
                        AND (o.state IN ('SENT', 'UNKNOWN') OR o.notified_at IS NULL OR o.events_due)
                    """,
                    [.int8(policy.abandonAfter.microseconds), .int8(Int64(policy.abandonChecks))]
                )
            case .expire:
                guard let expiredBy else { return SweepReport() }
                rows = try connection.execute(
                    """
                    SELECT count(*), 0::bigint FROM bank_effects e JOIN payments p ON p.id = e.payment_id
                    WHERE e.next_check_at <= $1 AND p.status = 'AUTHORIZED'
                    """,
                    [.timestamp(expiredBy.microseconds)]
                )
            case .retention:
                rows = try connection.execute(
                    """
                    SELECT (SELECT count(*) FROM outbox
                            WHERE sent_at < clock_timestamp() - $1 * interval '1 microsecond')
                        + (SELECT count(*) FROM sweep_runs
                           WHERE started_at < clock_timestamp() - $2 * interval '1 microsecond'), 0::bigint
                    """,
                    [.int8(policy.keepsRelayed.microseconds), .int8(policy.keepsRuns.microseconds)]
                )
            }
            let row = try rows.single()
            let (count, abandoned) = (Int(try row.int64(0)), Int(try row.int64(1)))
            return SweepReport(examined: count, needsAttention: abandoned, waiting: count - abandoned)
        }
    }
}

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

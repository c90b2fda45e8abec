import Core
import Postgres

/// An operation, and when it was completed.
struct CompletedOperation {
    let operation: Operation
    let at: Timestamp?
}

extension PostgresPaymentQueries {
    /// The requests that completed an operation are read from the operations themselves.
    func attempts(
        _ payment: PostgresValue,
        at operations: [CompletedOperation],
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [BankAttemptRecord] {
        var attempts = operations.compactMap { entry in
            entry.at.flatMap { BankAttemptRecord(completing: entry.operation, at: $0) }
        }
        let rows = try connection.execute(
            """
            SELECT operation_id, at, verdict, http_status, code, tier FROM operation_attempts
            WHERE payment_id = $1 ORDER BY at, fencing_token, position
            """,
            [payment]
        )
        for row in rows {
            let id = OperationID(UniqueID(try row.uuid(0)))
            guard let operation = operations.first(where: { $0.operation.id == id })?.operation else { continue }
            attempts.append(
                BankAttemptRecord(
                    at: Timestamp(microseconds: try row.timestamp(1)),
                    operation: operation.kind,
                    idempotencyKey: operation.idempotencyKey,
                    verdict: try row.parsed(2, BankCallVerdict.init(rawValue:)),
                    status: try row.optionalInt32(3).map(Int.init),
                    code: try row.optionalText(4),
                    tier: try row.isNull(5) ? nil : try row.parsed(5, RetryTier.init(rawValue:))
                )
            )
        }
        return attempts.sorted { $0.at < $1.at }
    }

    func replays(
        _ payment: PostgresValue,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> [ReplayRecord] {
        let rows = try connection.execute(
            """
            SELECT a.at, a.dead_letter_id, a.actor, a.result
            FROM dead_letters l JOIN dead_letter_audit a ON a.dead_letter_id = l.id
            WHERE l.payment_id = $1 AND a.action = 'replay' ORDER BY a.at, a.position
            """,
            [payment]
        )
        var replays: [ReplayRecord] = []
        for row in rows {
            replays.append(
                ReplayRecord(
                    at: Timestamp(microseconds: try row.timestamp(0)),
                    deadLetterID: DeadLetterID(UniqueID(try row.uuid(1))),
                    actor: try row.text(2),
                    result: try row.text(3)
                )
            )
        }
        return replays
    }
}

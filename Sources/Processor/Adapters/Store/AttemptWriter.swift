import Core
import Postgres

/// Writes the requests to the bank that did not complete their operations: nothing at all for a command that was completed at once.
struct AttemptWriter: Sendable {
    private let attempts: [(attempt: UnfinishedAttempt, position: Int, operation: Operation)]

    init(_ results: [OperationResult]) {
        attempts = results.flatMap { result in
            result.attempts.enumerated().map { ($1, $0, result.operation) }
        }
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if attempts.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO operation_attempts
                (payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier, at)
            SELECT payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier,
                clock_timestamp() - age * interval '1 microsecond'
            FROM unnest(
                $1::uuid[], $2::uuid[], $3::bigint[], $4::integer[], $5::text[], $6::integer[], $7::text[], $8::text[],
                $9::bigint[]
            ) AS n (payment_id, operation_id, fencing_token, position, verdict, http_status, code, tier, age)
            ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(attempts.map { PostgresUUID($0.operation.paymentID.value) }),
                .uuidArray(attempts.map { PostgresUUID($0.operation.id.value) }),
                .int8Array(attempts.map(\.operation.fencingToken)),
                .int4Array(attempts.map { Int32($0.position) }),
                .textArray(attempts.map(\.attempt.verdict.rawValue)),
                .int4Array(attempts.map { $0.attempt.status.map(Int32.init) }),
                .textArray(attempts.map(\.attempt.code)),
                .textArray(attempts.map { $0.attempt.tier?.rawValue }),
                .int8Array(attempts.map { max($0.attempt.age, .zero).microseconds }),
            ]
        )
    }
}

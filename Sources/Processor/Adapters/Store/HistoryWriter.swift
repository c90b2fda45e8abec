import Core
import Postgres

/// Appends to the history of payments, at the time of the transaction.
struct HistoryWriter: Sendable {
    private let steps: [(transition: Transition, operation: OperationID)]

    init(_ steps: [(transition: Transition, operation: OperationID)]) {
        self.steps = steps
    }

    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if steps.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO payment_history (payment_id, version, from_status, to_status, operation, cause, operation_id, at)
            SELECT *, clock_timestamp() FROM unnest(
                $1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::uuid[]
            )
            """,
            [
                .uuidArray(steps.map { PostgresUUID($0.transition.paymentID.value) }),
                .int8Array(steps.map(\.transition.version)),
                .textArray(steps.map { $0.transition.from?.rawValue }),
                .textArray(steps.map(\.transition.to.rawValue)),
                .textArray(steps.map(\.transition.operation.rawValue)),
                .textArray(steps.map(\.transition.cause)),
                .uuidArray(steps.map { PostgresUUID($0.operation.value) }),
            ]
        )
    }
}

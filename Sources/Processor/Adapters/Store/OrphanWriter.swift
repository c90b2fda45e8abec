import Core
import Postgres

/// Writes down which payments may have left a second hold at the bank, so that they can be listed.
struct OrphanWriter: Sendable {
    private let found: [(operation: Operation, orphan: PossibleOrphan)]

    init(_ results: [OperationResult]) {
        found = results.compactMap { result in result.orphan.map { (result.operation, $0) } }
    }

    /// Notes a second hold, whatever was suspected before. Sends the statement along with the next one.
    static func noteStray(
        _ payment: PostgresUUID,
        _ operation: PostgresUUID,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.enqueue(
            """
            INSERT INTO possible_orphans (payment_id, operation_id, grade, at)
            VALUES ($1, $2, 'suspected', clock_timestamp())
            ON CONFLICT (payment_id) DO UPDATE SET grade = excluded.grade
            """,
            [.uuid(payment), .uuid(operation)]
        )
    }

    /// Sends the statement along with the next one.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        if found.isEmpty { return }
        try connection.enqueue(
            """
            INSERT INTO possible_orphans (payment_id, operation_id, grade, at)
            SELECT *, clock_timestamp() FROM unnest($1::uuid[], $2::uuid[], $3::text[]) ON CONFLICT DO NOTHING
            """,
            [
                .uuidArray(found.map { PostgresUUID($0.operation.paymentID.value) }),
                .uuidArray(found.map { PostgresUUID($0.operation.id.value) }),
                .textArray(found.map(\.orphan.rawValue)),
            ]
        )
    }
}

import Core
import Postgres

/// Writes down which payments may have left a second hold at the bank, so that they can be listed.
struct OrphanWriter: Sendable {
    private let found: [(operation: Operation, orphan: PossibleOrphan)]

    init(_ settlements: [Settlement]) {
        found = settlements.compactMap { settlement in settlement.orphan.map { (settlement.operation, $0) } }
    }

    /// - Parameter hold: an authorization that the bank gave to an attempt which holds the operation no longer.
    /// - Returns: whether the payment has another one.
    static func noteStray(
        _ hold: String,
        of operation: Operation,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) -> Bool {
        let rows = try connection.execute(
            """
            INSERT INTO possible_orphans (payment_id, operation_id, grade, at)
            SELECT id, $3::uuid, 'suspected', clock_timestamp() FROM payments
            WHERE id = $1 AND merchant_id = $2 AND bank_authorization_id <> $4
            ON CONFLICT (payment_id) DO UPDATE SET grade = excluded.grade
            RETURNING 1
            """,
            [
                .uuid(PostgresUUID(operation.paymentID.value)), .text(operation.merchantID.description),
                .uuid(PostgresUUID(operation.id.value)), .text(hold),
            ]
        )
        return !rows.isEmpty
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

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

/// How it is read whether a payment is a possible orphan: from the table `possible_orphans`, beside the columns of the payment.
enum OrphanRow {
    /// - Returns: `nil` where the payment has no row in that table.
    static func grade(from row: PostgresRow) throws(PostgresError) -> PossibleOrphan? {
        try row.isNull("grade") ? nil : try row.parsed("grade", PossibleOrphan.init(rawValue:))
    }
}

/// The table of authorizations that superseded attempts brought, and that are compared when their payment has its own.
enum UnmatchedAuthorizations {
    /// Sends the statement along with the next one.
    static func add(
        _ authorization: String,
        of operation: Operation,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try connection.enqueue(
            """
            INSERT INTO unmatched_authorizations
                (payment_id, authorization_id, merchant_id, idempotency_key, operation_id, at)
            VALUES ($1, $2, $3, $4, $5, clock_timestamp()) ON CONFLICT DO NOTHING
            """,
            [
                .uuid(PostgresUUID(operation.paymentID.value)), .text(authorization),
                .text(operation.merchantID.description), .text(operation.idempotencyKey.description),
                .uuid(PostgresUUID(operation.id.value)),
            ]
        )
    }

    /// Compares those whose payment is decided, by the rule of `LateAuthorization`. What a payment has been given never changes, so its
    /// row need not be locked.
    ///
    /// - Returns: the operations of the second holds, as they are; what the store has lost meanwhile is left out.
    static func compare(limit: Int, on connection: isolated PostgresConnection) throws(PostgresError) -> [Operation] {
        let rows = try connection.execute(
            """
            SELECT u.payment_id, u.authorization_id, u.operation_id, u.merchant_id, u.idempotency_key,
                p.bank_authorization_id IS DISTINCT FROM u.authorization_id
            FROM unmatched_authorizations u JOIN payments p ON p.id = u.payment_id
            WHERE p.bank_authorization_id IS NOT NULL OR p.status = 'FAILED'
            ORDER BY u.at LIMIT $1 FOR UPDATE OF u SKIP LOCKED
            """,
            [.int8(Int64(limit))]
        )
        if rows.isEmpty { return [] }
        var (payments, authorizations): ([PostgresUUID], [String]) = ([], [])
        var (merchants, keys): ([String], [String]) = ([], [])
        for row in rows {
            let (payment, authorization) = (try row.uuid(0), try row.text(1))
            payments.append(payment)
            authorizations.append(authorization)
            guard try row.bool(5) else { continue }
            merchants.append(try row.text(3))
            keys.append(try row.text(4))
            try recordStray(authorization, payment, operation: try row.uuid(2), on: connection)
        }
        try connection.enqueue(
            """
            DELETE FROM unmatched_authorizations u USING unnest($1::uuid[], $2::text[]) AS n (payment_id, authorization_id)
            WHERE u.payment_id = n.payment_id AND u.authorization_id = n.authorization_id
            """,
            [.uuidArray(payments), .textArray(authorizations)]
        )
        let strays = try connection.execute(
            """
            SELECT \(OperationRow.columns) FROM unnest($1::text[], $2::text[]) AS k (merchant_id, idempotency_key)
            JOIN operations o ON o.merchant_id = k.merchant_id AND o.idempotency_key = k.idempotency_key
            """,
            [.textArray(merchants), .textArray(keys)]
        )
        var operations: [Operation] = []
        for row in strays { operations.append(try OperationRow.operation(from: row)) }
        return operations
    }

    /// In the list of possible orphans and in the history. There is hardly ever more than one.
    private static func recordStray(
        _ authorization: String,
        _ payment: PostgresUUID,
        operation: PostgresUUID,
        on connection: isolated PostgresConnection
    ) throws(PostgresError) {
        try OrphanWriter.noteStray(payment, operation, on: connection)
        try connection.enqueue(
            """
            INSERT INTO payment_history (payment_id, at, from_status, to_status, operation, cause, operation_id)
            SELECT id, clock_timestamp(), status, status, $2, $3, $4 FROM payments WHERE id = $1
            """,
            [
                .uuid(payment), .text(OperationKind.authorize.rawValue),
                .text(LateAuthorization.strayCause(authorization)), .uuid(operation),
            ]
        )
    }
}

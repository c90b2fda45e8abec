import Core
import Postgres

/// Writes that an authorization has expired, where that still holds under the payment's lock: the row, the step of the
/// history, and the event.
struct ExpiryWriter: Sendable {
    private let proof: ExpiryProof

    init(_ proof: ExpiryProof) {
        self.proof = proof
    }

    /// - Returns: false where something has come in between.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) -> Bool {
        let key = PostgresValue.uuid(PostgresUUID(proof.paymentID.value))
        let rows = try connection.execute([
            PostgresStatement("SELECT \(PaymentRow.columns) FROM payments WHERE id = $1 FOR UPDATE", [key]),
            PostgresStatement(
                "SELECT operation_id FROM bank_effects WHERE payment_id = $1 AND kind = 'authorize'",
                [key]
            ),
        ])
        guard let row = rows[0].first, let effect = rows[1].first else { return false }
        let operation = OperationID(UniqueID(try effect.uuid(0)))
        guard let expiry = Expiry(proof, try PaymentRow.payment(from: row), operation: operation) else { return false }
        try connection.enqueue(
            "UPDATE payments SET status = $2, version = $3 WHERE id = $1",
            [key, .text(expiry.payment.status.rawValue), .int8(expiry.payment.version)]
        )
        try HistoryWriter([(expiry.transition, operation)]).write(on: connection)
        try OutboxWriter([expiry.event]).write(on: connection)
        return true
    }
}

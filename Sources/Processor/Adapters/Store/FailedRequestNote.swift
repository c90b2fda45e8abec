import Core
import Postgres

/// Writes that a request was answered with a complete error after the process that had sent it was gone.
struct FailedRequestNote: Sendable {
    private let request: RequestOrigin

    init(_ request: RequestOrigin) {
        self.request = request
    }

    /// The payment is locked first, as in every transaction.
    func write(on connection: isolated PostgresConnection) throws(PostgresError) {
        let payment = PostgresValue.uuid(PostgresUUID(request.paymentID.value))
        _ = try connection.execute("SELECT 1 FROM payments WHERE id = $1 FOR UPDATE", [payment])
        _ = try connection.execute(
            """
            UPDATE operations SET failed_fencing_token = fencing_token
            WHERE payment_id = $1 AND id = $2 AND fencing_token = $3 AND state = 'SENT'
            """,
            [payment, .uuid(PostgresUUID(request.operationID.value)), .int8(request.fencingToken)]
        )
    }
}

import Core
import Postgres

/// How sweeps come to know of the operations that are open, or whose end nobody was notified of.
///
/// Every commit that inserts such operations leaves a row in `new_operations` (by a trigger). What this sees it takes away, and
/// remembers those that are still open in `open_operations`; a row that is committed later is seen later. So no row is missed,
/// nothing depends on the ids or the age of transactions, and the cost is that of what has come since the last time.
extension PostgresPaymentStore {
    /// Rows of one transaction, each of a batch of operations. What others are collecting is left out.
    static let collectLimit = 200
    /// Transactions of one call: the rest waits for the next one.
    private static let collectRounds = 50

    static let collectStatement = """
        WITH taken AS (
            DELETE FROM new_operations WHERE position IN (
                SELECT position FROM new_operations ORDER BY position LIMIT \(collectLimit) FOR UPDATE SKIP LOCKED
            )
            RETURNING payment_ids
        ), collected AS (
            INSERT INTO open_operations (operation_id, merchant_id, idempotency_key, payment_id, due_at)
            SELECT o.id, o.merchant_id, o.idempotency_key, o.payment_id, o.lease_until
            FROM (SELECT DISTINCT unnest(payment_ids) AS id FROM taken) AS p JOIN operations o ON o.payment_id = p.id
            WHERE o.state IN ('SENT', 'UNKNOWN') OR o.notified_at IS NULL OR o.events_due
            ON CONFLICT DO NOTHING
        )
        SELECT count(*) FROM taken
        """

    func collectNewOperations() async throws(StoreError) {
        for _ in 0..<Self.collectRounds {
            let count = try await sweeps.storeTransaction { connection throws(PostgresError) in
                try connection.execute(Self.collectStatement).single().int64(0)
            }
            if count < Self.collectLimit { return }
        }
    }
}

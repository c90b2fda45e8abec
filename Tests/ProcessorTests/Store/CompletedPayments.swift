import Postgres

/// Payments that were captured long ago, with all that belongs to them: what a database is full of.
struct CompletedPayments: Sendable {
    let count: Int
    /// How far the transaction ids of the server that wrote them are ahead of this one's.
    var transactionsAhead = 0

    func write(to pool: PostgresPool) async throws {
        try await pool.withConnection { connection throws(PostgresError) in
            try connection.executeScript(
                """
                CREATE TEMP TABLE n AS SELECT gen_random_uuid() AS p, gen_random_uuid() AS a, gen_random_uuid() AS c
                    FROM generate_series(1, \(count));
                INSERT INTO payments (
                    id, merchant_id, order_id, customer_id, amount, currency, status, version, bank_authorization_id,
                    bank_capture_id, created_at, authorized_at, expires_at, captured_at)
                SELECT p, 'default', 'o-' || p, 'c-1', 100, 'USD', 'CAPTURED', 4, 'auth_' || a, 'cap_' || c,
                    now(), now(), now() + interval '168 hours', now() FROM n;
                INSERT INTO operations (
                    merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, created_at, first_sent_at,
                    state, fencing_token, lease_until, claim_token, attempts, ambiguous_sends, reply, completed_at, notified_at, created_in)
                SELECT 'default', 'k-' || c, c, 'capture', p, decode(repeat('ab', 32), 'hex'), 'op_' || c, now(), now(),
                    'SUCCEEDED', 1, now(), c, 1, 0, decode(repeat('cd', 800), 'hex'), now(), now(),
                    (pg_current_xact_id()::text::bigint + \(transactionsAhead))::text::xid8 FROM n;
                INSERT INTO bank_effects (payment_id, kind, bank_id, operation_id, next_check_at)
                SELECT p, 'authorize', 'auth_' || a, a, now() + interval '168 hours' FROM n;
                INSERT INTO outbox (payment_id, destination, headers, body, created_at, due_at, sent_at)
                SELECT p, 'event', '{}', decode(repeat('cd', 800), 'hex'), now(), now(), now() FROM n;
                DROP TABLE n;
                ANALYZE;
                """
            )
        }
    }
}

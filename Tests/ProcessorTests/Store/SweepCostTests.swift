import Core
import Foundation
import Postgres
import Testing

@testable import Processor

/// What a sweep costs when there is nothing to do, beside so many settled payments: a tenth of a million, or what
/// SWEEP_TEST_ROWS says.
@Suite("The cost of idle sweeps", .serialized, .timeLimit(.minutes(10)))
struct SweepCostTests {
    private static let rows =
        ProcessInfo.processInfo.environment["SWEEP_TEST_ROWS"].flatMap { Int($0) } ?? 100_000

    @Test("it does not grow with the settled payments: every question is answered by an index, from few pages")
    func idle() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            // Plans of prepared statements are made while the tables are empty, and stay.
            _ = try await store.look(Self.look)
            _ = try await store.take(limit: 1, hold: .zero)
            for (name, statement) in Self.statements where name.contains("outbox") {
                let plan = try await plan(of: statement, on: pools.sweeps)
                #expect(
                    plan.contains("using outbox_waiting on outbox") || plan.contains("using outbox_order on outbox")
                )
            }
            for _ in 0..<10 { try await fill(pools.queries, Self.rows / 10) }
            // The first look after so many inserts goes through them, once.
            #expect(try await store.look(Self.look).count == 0)

            for (name, statement) in Self.statements {
                let plan = try await plan(of: statement, on: pools.sweeps)
                print("\(name), beside \(Self.rows) settled payments:\n\(plan)\n")
                #expect(!plan.contains("Seq Scan on operations"), "\(name)")
                #expect(!plan.contains("Seq Scan on payments"), "\(name)")
                #expect(!plan.contains("Seq Scan on bank_effects"), "\(name)")
                #expect(!plan.contains("Seq Scan on outbox"), "\(name)")
                #expect(Self.pages(plan) <= 60, "\(name)")
            }
        }
    }

    private static var look: OpenLook {
        let token = ClaimToken(UniqueID(high: 1, low: 1))
        return OpenLook(limit: 100, dueBy: nil, token: token, lease: .seconds(37), policy: SweepPolicy(), dice: 1)
    }

    /// With the parameters in place: `EXPLAIN` takes none in this form.
    private static let statements = [
        ("collecting what is open", OpenBatch.collectStatement),
        (
            "open operations that are due",
            OpenBatch.dueStatement.replacing("$1", with: "NULL::timestamptz").replacing("$2", with: "100")
        ),
        (
            "authorizations that are due",
            AuthorizationBatch.dueStatement.replacing("$1", with: "now()").replacing("$2", with: "100")
        ),
        (
            "the outbox",
            PostgresPaymentStore.takeStatement.replacing("$1", with: "100").replacing("$2", with: "60000000")
        ),
        ("the age of the outbox", PostgresPaymentStore.outboxAgeStatement),
    ]

    /// Settled payments, each captured, with all that belongs to them.
    private func fill(_ pool: PostgresPool, _ rows: Int) async throws {
        try await pool.withConnection { connection throws(PostgresError) in
            try connection.executeScript(
                """
                CREATE TEMP TABLE n AS SELECT gen_random_uuid() AS p, gen_random_uuid() AS a, gen_random_uuid() AS c
                    FROM generate_series(1, \(rows));
                INSERT INTO payments (
                    id, merchant_id, order_id, customer_id, amount, currency, status, version, bank_authorization_id,
                    bank_capture_id, created_at, authorized_at, expires_at, captured_at)
                SELECT p, 'default', 'o-' || p, 'c-1', 100, 'USD', 'CAPTURED', 4, 'auth_' || a, 'cap_' || c,
                    now(), now(), now() + interval '168 hours', now() FROM n;
                INSERT INTO operations (
                    merchant_id, idempotency_key, id, kind, payment_id, fingerprint, bank_key, created_at, first_sent_at,
                    state, fence, lease_until, claim_token, attempts, ambiguous_sends, reply, settled_at, told_at)
                SELECT 'default', 'k-' || c, c, 'capture', p, decode(repeat('ab', 32), 'hex'), 'op_' || c, now(), now(),
                    'SUCCEEDED', 1, now(), c, 1, 0, decode(repeat('cd', 800), 'hex'), now(), now() FROM n;
                INSERT INTO bank_effects (payment_id, kind, bank_id, operation_id, look_at)
                SELECT p, 'authorize', 'auth_' || a, a, now() + interval '168 hours' FROM n;
                INSERT INTO outbox (payment_id, destination, headers, body, created_at, due_at, sent_at)
                SELECT p, 'event', '{}', decode(repeat('cd', 800), 'hex'), now(), now(), now() FROM n;
                DROP TABLE n;
                ANALYZE;
                """
            )
        }
    }

    private func plan(of statement: String, on pool: PostgresPool) async throws -> String {
        let rows = try await pool.transaction { connection throws(PostgresError) in
            try connection.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) \(statement)")
        }
        var lines: [String] = []
        for row in rows { lines.append(try row.text(0)) }
        return lines.joined(separator: "\n")
    }

    /// Of the whole statement: its first line of buffers.
    private static func pages(_ plan: String) -> Int {
        guard let line = plan.split(separator: "\n").first(where: { $0.contains("Buffers: shared") }) else { return 0 }
        return line.split(separator: " ").compactMap { part in
            part.hasPrefix("hit=") || part.hasPrefix("read=") ? Int(part.drop { $0 != "=" }.dropFirst()) : nil
        }.reduce(0, +)
    }
}

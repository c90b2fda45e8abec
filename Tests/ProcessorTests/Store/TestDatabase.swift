import Foundation
import Postgres
import Testing

@testable import Processor

/// A fresh, migrated database on the server of `DATABASE_URL`, gone afterwards.
enum TestDatabase {
    static func with(_ body: @Sendable (DatabasePools) async throws -> Void) async throws {
        try await named { url in
            try await withPools(of: url) { pools in
                _ = try await Migrator(pool: pools.queries).migrate()
                try await body(pools)
            }
        }
    }

    /// A fresh database by its address, empty.
    ///
    /// - Parameter options: what stands behind its name in `CREATE DATABASE`.
    static func named(_ options: String = "", _ body: @Sendable (String) async throws -> Void) async throws {
        let url = try #require(
            ProcessInfo.processInfo.environment["DATABASE_URL"],
            "DATABASE_URL is not set: run the tests with `make test`"
        )
        let name = "test_\(UUID().uuidString.lowercased().prefix(8))"
        let server = try PostgresConfiguration(conninfo: url)
        try await execute("CREATE DATABASE \(name) \(options)", on: server)
        let result: Result<Void, any Error>
        do {
            try await body(try replacingDatabase(in: url, with: name))
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try await execute("DROP DATABASE \(name) WITH (FORCE)", on: server)
        try result.get()
    }

    static func withPools(
        of url: String,
        onStateChange: @escaping @Sendable (PostgresPoolState) -> Void = { _ in },
        _ body: @Sendable (DatabasePools) async throws -> Void
    ) async throws {
        let pools = DatabasePools(try PostgresConfiguration(conninfo: url), onStateChange: onStateChange)
        let running = Task { await pools.run() }
        let result: Result<Void, any Error>
        do {
            try await body(pools)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        running.cancel()
        await running.value
        try result.get()
    }

    private static func execute(_ sql: String, on configuration: PostgresConfiguration) async throws {
        let connection = try await PostgresConnection.connect(configuration)
        // A script, because these may not stand in a transaction of their own.
        let result: Result<Void, PostgresError>
        do throws(PostgresError) {
            try await connection.run { connection throws(PostgresError) in try connection.executeScript(sql) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await connection.close()
        try result.get()
    }

    private static func replacingDatabase(in url: String, with name: String) throws -> String {
        var components = try #require(URLComponents(string: url))
        components.path = "/\(name)"
        return try #require(components.string)
    }
}

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

/// How the server has run a statement, and what that took.
struct ExplainedPlan: Sendable {
    let text: String

    /// - Parameter statement: with its parameters in place: `EXPLAIN` takes none in this form.
    init(of statement: String, on pool: PostgresPool) async throws {
        let rows = try await pool.transaction { connection throws(PostgresError) in
            try connection.execute("EXPLAIN (ANALYZE, BUFFERS, COSTS OFF, TIMING OFF, SUMMARY OFF) \(statement)")
        }
        var lines: [String] = []
        for row in rows { lines.append(try row.text(0)) }
        text = lines.joined(separator: "\n")
    }

    /// Of the whole statement: of its first node, and of each of its `WITH` parts, whose cost the first node does not have where
    /// nothing reads from it. What is read from counts twice.
    var pages: Int {
        var isDue = true
        var sum = 0
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            // What it reads of the catalog depends on what others have done.
            if words.first == "Planning:" { break }
            if words.first == "CTE" { isDue = true }
            guard isDue, words.starts(with: ["Buffers:", "shared"]) else { continue }
            isDue = false
            for word in words where word.hasPrefix("hit=") || word.hasPrefix("read=") {
                sum += Int(word.drop { $0 != "=" }.dropFirst()) ?? 0
            }
        }
        return sum
    }
}

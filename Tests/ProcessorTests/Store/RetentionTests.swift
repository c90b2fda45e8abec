import Core
import Migrations
import Postgres
import StoreContract
import Testing

@testable import Processor

@Suite("Retention", .timeLimit(.minutes(2)))
struct RetentionTests {
    @Test(
        "dead letters that were dealt with long ago go in batches; what is open or young stays, and so does the audit"
    )
    func deadLetters() async throws {
        try await TestDatabase.with { pools in
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(
                    """
                    INSERT INTO dead_letters (
                        id, instance, code, message, source, dead_lettered_at, ingested_at, replayable, headers, body, state,
                        closed_at)
                    SELECT gen_random_uuid(), decode(repeat(to_hex(n + 16), 32), 'hex'), 'c', 'm', 'processor',
                        now() - interval '91 days', now(), false, '{}', '', CASE WHEN n < 5 THEN 'discarded' ELSE 'open' END,
                        CASE WHEN n < 4 THEN now() - interval '91 days' WHEN n = 4 THEN now() END
                    FROM generate_series(0, 6) AS n;
                    INSERT INTO dead_letter_audit (dead_letter_id, position, at, actor, action, result, reason)
                    SELECT id, 1, now(), 'a', 'discard', 'discarded', 'r' FROM dead_letters WHERE state = 'discarded';
                    """
                )
            }
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            let policy = SweepPolicy(batch: 3)
            var removed: [Int] = []
            for _ in 0..<3 { removed.append(try await store.removeOld(policy)) }
            #expect(removed == [3, 1, 0])
            let rows = try await pools.queries.execute(
                "SELECT (SELECT count(*) FROM dead_letters), (SELECT count(*) FROM dead_letter_audit)"
            )
            let (deadLetters, audit) = (try rows.single().int64(0), try rows.single().int64(1))
            #expect(deadLetters == 3)
            #expect(audit == 5)
        }
    }

    @Test("replays that ended long ago go in batches, their lists first; one that runs, or is young, stays")
    func replays() async throws {
        try await TestDatabase.with { pools in
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript(
                    """
                    INSERT INTO dead_letter_replays (id, requested_by, created_at, stop_at_failures, state, selected, finished_at)
                    SELECT ('00000000-0000-0000-0000-00000000000' || n)::uuid, 'a', now() - interval '91 days', 0.2,
                        CASE WHEN n < 3 THEN 'finished' ELSE 'running' END, 2,
                        CASE WHEN n < 2 THEN now() - interval '91 days' WHEN n = 2 THEN now() END
                    FROM generate_series(0, 3) AS n;
                    INSERT INTO dead_letter_replay_items (replay_id, position, dead_letter_id)
                    SELECT r.id, n, gen_random_uuid() FROM dead_letter_replays r, generate_series(1, 2) AS n;
                    """
                )
            }
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            var removed: [Int] = []
            for _ in 0..<4 { removed.append(try await store.removeOld(SweepPolicy(batch: 3))) }
            #expect(removed.reduce(0, +) == 6 && removed.last == 0)
            let rows = try await pools.queries.execute(
                "SELECT (SELECT count(*) FROM dead_letter_replays), (SELECT count(*) FROM dead_letter_replay_items)"
            )
            let (replays, items) = (try rows.single().int64(0), try rows.single().int64(1))
            #expect(replays == 2 && items == 4)
        }
    }
}

@Suite("The cards of stored dead letters", .timeLimit(.minutes(2)))
struct StoredCardsTests {
    private static let id = DeadLetterID(UniqueID(high: 0, low: 7))

    /// As the versions before wrote it.
    private static let old = #"""
        {"amount":5000,"card":{"cvv":"***","expiry_month":12,"expiry_year":2030,"more":{"a":"}"},"name":"a\"}{b",\#
        "number":"411111******1111"},"customer_id":"a \"card\":{\"cvv\":1}","order_id":"o-12"}
        """#
    private static let new = #"""
        {"amount":5000,"card":{"number":"411111******1111"},"customer_id":"a \"card\":{\"cvv\":1}","order_id":"o-12"}
        """#

    private static func insert(_ body: String, on pool: PostgresPool) async throws {
        _ = try await pool.execute(
            """
            INSERT INTO dead_letters (
                id, instance, code, message, source, dead_lettered_at, ingested_at, operation, card, replayable, headers,
                body, state)
            VALUES ($1, decode(repeat('07', 32), 'hex'), 'unrouted', 'm', 'broker', now(), now(), 'authorize',
                '411111******1111', false, '{}', $2, 'open')
            """,
            [.uuid(PostgresUUID(id.value)), .bytes(Array(body.utf8))]
        )
    }

    private static func stored(on pool: PostgresPool) async throws -> String {
        let rows = try await pool.execute("SELECT body FROM dead_letters")
        return String(decoding: try rows.single().bytes(0), as: UTF8.self)
    }

    @Test("rows from before keep BIN and last four, and nothing else of the card; the rest stays")
    func migrated() async throws {
        for (before, after) in [(Self.old, Self.new), (Self.new, Self.new), (#"{"card":12"#, #"{"card":12"#)] {
            try await TestDatabase.named { url in
                try await TestDatabase.withPools(of: url) { pools in
                    let earlier = Migrations.all.filter { $0.number < 14 }
                    _ = try await Migrator(pool: pools.queries, migrations: earlier).migrate()
                    try await Self.insert(before, on: pools.queries)
                    _ = try await Migrator(pool: pools.queries).migrate()
                    #expect(try await Self.stored(on: pools.queries) == after)
                }
            }
        }
    }

    @Test("what a processor of the version before writes meanwhile is reduced when it is read")
    func read() async throws {
        try await TestDatabase.with { pools in
            try await Self.insert(Self.old, on: pools.queries)
            let store = PostgresDeadLetterStore(pool: pools.queries)
            let view = try #require(try await store.deadLetter(Self.id))
            #expect(String(decoding: view.deadLetter.content.message.body, as: UTF8.self) == Self.new)
            #expect(view.deadLetter.content.card == "411111******1111")
        }
    }
}

@Suite("A change of the fingerprint's secret", .timeLimit(.minutes(2)))
struct SecretRotationTests {
    private static func fingerprinter(_ current: String, _ previous: String...) -> Fingerprinter {
        Fingerprinter(secret: Array(current.utf8), previous: previous.map { Array($0.utf8) })
    }

    private static func claim(_ command: Command) -> ClaimRequest {
        ClaimRequest(
            command: command,
            operationID: OperationID(UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))),
            token: ClaimToken(UniqueID(high: .random(in: 0 ... .max), low: .random(in: 0 ... .max))),
            lease: .seconds(30)
        )
    }

    @Test("duplicates are recognized across it, whoever of two processors has which secret first")
    func duplicates() async throws {
        try await TestDatabase.with { pools in
            let command = Command(
                paymentID: PaymentID(UniqueID(high: 1, low: 2)),
                idempotencyKey: try #require(IdempotencyKey("k")),
                messageID: "m",
                parameters: .authorize(
                    AuthorizeParameters(
                        orderID: "o",
                        customerID: "c",
                        amount: try #require(Money(minorUnits: 1, currency: .usd)),
                        card: try #require(
                            CardDetails(number: "4111111111111111", cvv: "123", expiryMonth: 1, expiryYear: 2030)
                        )
                    )
                )
            )
            func outcome(_ fingerprinter: Fingerprinter) async throws -> ClaimOutcome {
                try await PostgresPaymentStore(pools, fingerprinter: fingerprinter).claim(Self.claim(command))
            }
            guard case .claimed(let claim) = try await outcome(Self.fingerprinter("a")) else {
                Issue.record("not claimed")
                return
            }
            #expect(claim.operation.fingerprint.secretID != nil)
            for known in [Self.fingerprinter("a"), Self.fingerprinter("b", "a"), Self.fingerprinter("a", "b")] {
                #expect(try await outcome(known).heldKey != nil)
            }
            #expect(try await outcome(Self.fingerprinter("b")) == .rejected(.idempotencyKeyReused, nil))
            // As a version before this one has written it: which secret, it does not say.
            try await pools.queries.withConnection { connection throws(PostgresError) in
                try connection.executeScript("UPDATE operations SET fingerprint_secret = NULL")
            }
            #expect(try await outcome(Self.fingerprinter("b", "a")) == .rejected(.idempotencyKeyReused, nil))
        }
    }

    @Test("the database goes along with it where the secret before is known, and refuses one that it has never seen")
    func checkValue() async throws {
        try await TestDatabase.with { (pools: DatabasePools) async throws in
            func accepts(_ current: String, _ previous: String...) async throws -> Bool {
                let fingerprinter = Fingerprinter(
                    secret: Array(current.utf8),
                    previous: previous.map { Array($0.utf8) }
                )
                return try await FingerprintGuard(pool: pools.queries).accepts(fingerprinter)
            }
            #expect(try await accepts("a"))
            #expect(try await accepts("b") == false)
            #expect(try await accepts("a", "b"))
            #expect(try await accepts("b", "a"))
            // One that has not got so far yet.
            #expect(try await accepts("a", "b"))
            #expect(try await accepts("b", "a"))
            #expect(try await accepts("b"))
            #expect(try await accepts("a") == false)
        }
    }
}

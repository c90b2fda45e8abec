import Core
import Logging
import Postgres
import TestSupport
import Testing

@testable import Processor

@Suite("Watching the database", .timeLimit(.minutes(2)))
struct DatabaseWatchTests {
    @Test("a database that could only be read from for a while is noticed, and so is its end")
    func readOnly() async throws {
        try await TestDatabase.named { url in
            try await TestDatabase.withPools(of: url) { other in
                let name = try #require(try await other.queries.execute("SELECT current_database()").first?.text(0))
                _ = try await other.queries.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
                // Its sessions begin while it is so.
                try await TestDatabase.withPools(of: url) { pools in
                    let readiness = Readiness()
                    let logger = Logger(label: "test")
                    let watch = DatabaseWatch(
                        pool: pools.watch,
                        readiness: readiness,
                        logger: logger,
                        spell: ReadOnlySpell(logger: logger)
                    )
                    let watching = Task { await watch.run() }
                    try await eventually("it is noticed") {
                        readiness.current.problems.contains { $0.contains("it can only be read from") }
                    }
                    try await other.queries.withConnection { connection throws(PostgresError) in
                        // It may be a session that has begun meanwhile.
                        _ = try connection.execute("SET default_transaction_read_only = off")
                        _ = try connection.execute("ALTER DATABASE \(name) RESET default_transaction_read_only")
                    }
                    try await eventually("its end is noticed") { readiness.current.problems.isEmpty }
                    watching.cancel()
                    await watching.value
                }
            }
        }
    }

    @Test("a spell in which nothing can be written is one line at its begin and one at its end, however much is tried")
    func oneSpell() async throws {
        try await TestDatabase.named { url in
            let log = try CapturedLog(level: .info)
            let readiness = Readiness()
            let outages = OutageLog()
            let links = LinkObserver(readiness: readiness, logger: log.logger, outages: outages)
            try await TestDatabase.withPools(of: url, onStateChange: links.databaseChanged) { pools in
                let name = try #require(try await pools.queries.execute("SELECT current_database()").first?.text(0))
                let watch = DatabaseWatch(
                    pool: pools.watch,
                    readiness: readiness,
                    logger: log.logger,
                    spell: links.spell
                )
                let watching = Task { await watch.run() }
                // New sessions may not write; those of the watch and the others may, until they are lost.
                _ = try await pools.queries.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
                _ = try await pools.claims.execute("SET default_transaction_read_only = on")
                for _ in 0..<20 {
                    await #expect(throws: PostgresError.self) {
                        _ = try await pools.claims.execute("CREATE TABLE t (n integer)")
                    }
                    #expect(!readiness.current.problems.isEmpty || links.spell.isOn)
                }
                try await eventually("it is noticed") {
                    readiness.current.problems.contains { $0.contains("it can only be read from") }
                }
                try await pools.queries.withConnection { connection throws(PostgresError) in
                    // It may be a session that has begun meanwhile.
                    _ = try connection.execute("SET default_transaction_read_only = off")
                    _ = try connection.execute("ALTER DATABASE \(name) RESET default_transaction_read_only")
                }
                try await eventually("its end is noticed") { readiness.current.problems.isEmpty }
                watching.cancel()
                await watching.value
            }
            let lines = log.lines().filter { $0.contains("the database") }
            let messages = ["the database can only be read from, trying again", "the database can be written to again"]
            #expect(lines.count == messages.count, "\(lines)")
            for (line, message) in zip(lines, messages) { #expect(line.contains(message), "\(lines)") }
            #expect(outages.isOn(ReadOnlySpell.outage) == false)
        }
    }
}

@Suite("Whether the store takes what is written about commands", .timeLimit(.minutes(2)))
struct StoreAvailabilityTests {
    @Test("it does not while a table of theirs cannot be written, although others can")
    func tables() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            try await store.checkAvailability()
            for table in ["payments", "operations", "payment_history", "waiting_commands"] {
                _ = try await pools.queries.execute("ALTER TABLE \(table) RENAME TO away")
                await #expect(throws: StoreError.self, "\(table)") { try await store.checkAvailability() }
                try await store.recordBankStatus(isUnavailable: false, cause: nil)
                _ = try await pools.queries.execute("ALTER TABLE away RENAME TO \(table)")
                try await store.checkAvailability()
            }
            let left = try await pools.queries.execute("SELECT count(*) FROM waiting_commands").single().int64(0)
            #expect(left == 0)
        }
    }

    @Test("the question takes no place from a command, whatever its payment is called")
    func nobody() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            _ = try await pools.queries.execute(
                """
                INSERT INTO waiting_commands
                    (payment_id, merchant_id, idempotency_key, message_id, kind, arrived_at, seen_at)
                VALUES ('00000000-0000-0000-0000-000000000000', 'm', 'k', 'i', 'capture', now(), now())
                """
            )
            try await store.checkAvailability()
            let left = try await pools.queries.execute("SELECT count(*) FROM waiting_commands").single().int64(0)
            #expect(left == 1)
        }
    }

    @Test("who asks for a place is not held up longer than it wants to wait")
    func place() async throws {
        let (released, release) = AsyncStream<Void>.makeStream()
        let coalescer = Coalescer<Int, Int>(batchLimit: 8, flushLimit: 1) { items in
            for await _ in released {}
            return items.map { .success($0) }
        }
        let waiting = Task { () -> StoreError? in
            do throws(StoreError) {
                _ = try await coalescer.submitWhileWanted(1)
                return nil
            } catch {
                return error
            }
        }
        waiting.cancel()
        let error = await waiting.value
        #expect(error?.code == .unavailable && error?.outcomeUnknown == true)
        release.finish()
        #expect(try await coalescer.submitWhileWanted(2) == 2)
    }
}

@Suite("What a database must be like")
struct DatabaseFactsTests {
    @Test("is refused with one line that says what to do; what keeps the promises is accepted")
    func problems() {
        let cases: [(DatabaseFacts, String?)] = [
            (DatabaseFacts(), nil),
            (DatabaseFacts(synchronousCommit: "remote_apply", migrated: ["public"]), nil),
            (DatabaseFacts(encoding: "LATIN1"), "encoding LATIN1"),
            (DatabaseFacts(encoding: "SQL_ASCII"), "encoding SQL_ASCII"),
            (DatabaseFacts(synchronousCommit: "off"), "synchronous_commit is off"),
            (DatabaseFacts(synchronousCommit: "local"), "synchronous_commit is local"),
            (DatabaseFacts(statementTimeout: 0), "settings of the session do not hold"),
            (DatabaseFacts(schema: nil), "search_path names no schema"),
            (DatabaseFacts(schema: "mine", migrated: ["mine", "public"]), "mine hides public"),
            (DatabaseFacts(schema: "mine", migrated: ["public"]), "new tables would go to mine"),
            (DatabaseFacts(migrated: ["public"], isOurs: false), "of another program"),
        ]
        for (facts, expected) in cases {
            let problems = facts.problems(statementTimeout: 5_000)
            #expect(problems.count == (expected == nil ? 0 : 1), "\(facts)")
            if let expected { #expect(problems.first?.contains(expected) == true, "\(problems)") }
        }
    }
}

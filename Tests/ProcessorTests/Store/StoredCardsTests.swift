import Core
import Migrations
import Postgres
import Testing

@testable import Processor

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

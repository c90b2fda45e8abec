import Testing

@testable import Postgres

@Suite("Prepared statements", .database, .timeLimit(.minutes(2)))
struct PreparedStatementTests {
    private static let mine = "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"

    @Test("are made once for a text, whatever is null")
    func once() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        for value in [PostgresValue.int4(1), .null, .int4(2)] {
            _ = try await connection.execute("SELECT $1::int4", [value])
        }
        // That one, and the question itself.
        #expect(try await connection.execute(Self.mine).single().int64(0) == 2)
    }

    @Test("are made anew when the types change")
    func types() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        for (value, text) in [(PostgresValue.null, nil), (.int4(1), "1"), (.text("a"), "a"), (.int8(2), "2")] {
            let row = try await connection.execute("SELECT ($1)::text", [value]).single()
            #expect(try row.optionalText(0) == text)
        }
        #expect(try await connection.execute(Self.mine).single().int64(0) == 2)
    }

    @Test("never exceed the limit, and the one least used goes")
    func limit() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect { $0.statementCacheSize = 3 }
            for round in 0..<3 {
                for number in 0..<10 {
                    #expect(try await connection.execute("SELECT \(number)").single().int32(0) == Int32(number))
                    let kept = try await connection.execute(Self.mine).single().int64(0)
                    #expect(kept <= 3, "round \(round)")
                }
            }
        }
    }

    @Test("whose text is wrong are forgotten")
    func wrong() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            for _ in 0..<2 {
                #expect(await postgresError { try await connection.execute("SELECT id FROM t") }?.sqlState == "42P01")
            }
            _ = try await connection.execute("CREATE TABLE t (id int)")
            #expect(try await connection.execute("SELECT id FROM t").isEmpty)
        }
    }

    @Test("made in a transaction outlive its rollback")
    func rollback() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("SELECT $1::int4 AS kept", [.int4(1)])
                        _ = try connection.execute("SELECT 1 / 0")
                    }
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(try await connection.execute("SELECT $1::int4 AS kept", [.int4(2)]).single().int32("kept") == 2)
        }
    }

    @Test(
        "are made anew after their columns have changed, or the server has dropped them: one failure, then right again"
    )
    func changes() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            try await connection.executeScript("CREATE TABLE t (id int); INSERT INTO t VALUES (1)")
            #expect(try await connection.execute("SELECT * FROM t").single().int32("id") == 1)
            _ = try await connection.execute("ALTER TABLE t ADD COLUMN v text DEFAULT 'new'")
            let changed = await postgresError { try await connection.execute("SELECT * FROM t") }
            #expect(changed?.sqlState == "0A000")
            #expect(try await connection.execute("SELECT * FROM t").single().text("v") == "new")
            try await connection.executeScript("DEALLOCATE ALL")
            let dropped = await postgresError { try await connection.execute("SELECT * FROM t") }
            #expect(dropped?.sqlState == "26000")
            #expect(try await connection.execute("SELECT * FROM t").single().text("v") == "new")
        }
    }
}

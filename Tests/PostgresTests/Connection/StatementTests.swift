import Testing

@testable import Postgres

@Suite("Statements", .database, .timeLimit(.minutes(2)))
struct StatementTests {
    @Test("tell how many rows they touched and what columns they have")
    func affectedRows() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            let created = try await connection.execute("CREATE TABLE t (id int PRIMARY KEY, v text)")
            #expect(created.affectedRows == 0)
            let inserted = try await connection.execute(
                "INSERT INTO t SELECT n, 'v' FROM generate_series(1, 5) n RETURNING id AS number, v"
            )
            #expect(inserted.affectedRows == 5)
            #expect(inserted.columnNames == ["number", "v"])
            #expect(try await connection.execute("UPDATE t SET v = $1 WHERE id > 2", [.text("w")]).affectedRows == 3)
            #expect(try await connection.execute("DELETE FROM t WHERE v = $1", [.text("w")]).affectedRows == 3)
            #expect(try await connection.execute("SELECT FROM t WHERE false").isEmpty)
            #expect(try await connection.execute("").isEmpty)
        }
    }

    @Test("that the server refuses leave the connection usable and quote no data")
    func refusals() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            let refusals: [(sql: String, state: SQLState, description: String)] = [
                ("SELEC 1 -- secret", "42601", "server 42601 syntax_error"),
                (
                    "SELECT missing, 'secret'", "42703",
                    "server 42703 undefined_column: column \"missing\" does not exist"
                ),
                ("SELECT 'secret' FROM u", "42P01", "server 42P01 undefined_table: relation \"u\" does not exist"),
                (
                    "SELECT f('secret'::text)", "42883",
                    "server 42883 undefined_function: function f(text) does not exist"
                ),
                ("SELECT 'secret'::uuid", "22P02", "server 22P02 invalid_text_representation"),
                ("SELECT $1::text::uuid", "22P02", "server 22P02 invalid_text_representation"),
                ("SELECT 1 / length($1::text) / 0", "22012", "server 22012 division_by_zero"),
                (
                    "DO $$ BEGIN RAISE 'secret' USING DETAIL = 'secret'; END $$", "P0001",
                    "server P0001 raise_exception: in function inline_code_block"
                ),
            ]
            for (sql, state, description) in refusals {
                let parameters: [PostgresValue] = sql.contains("$1") ? [.text("secret")] : []
                let error = await postgresError { try await connection.execute(sql, parameters) }
                #expect(error?.code == .server)
                #expect(error?.sqlState == state)
                #expect(error?.severity == .error)
                #expect(error?.description == description)
                #expect(error?.outcomeUnknown == false)
                #expect(error.map { String(reflecting: $0).contains("secret") } == false)
                #expect(try await connection.execute("SELECT 1").count == 1)
            }
        }
    }

    @Test("that violate a constraint name it")
    func constraints() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            try await connection.executeScript(
                """
                CREATE TABLE t (
                    id int CONSTRAINT t_id PRIMARY KEY,
                    n int NOT NULL CONSTRAINT t_n_positive CHECK (n > 0)
                );
                CREATE TABLE u (t int CONSTRAINT u_t REFERENCES t);
                INSERT INTO t VALUES (1, 1);
                """
            )
            let insert = "INSERT INTO t VALUES ($1, $2)"
            let unique = await postgresError { try await connection.execute(insert, [.int4(1), .int4(1)]) }
            #expect(unique?.isUniqueViolation == true)
            #expect(unique?.constraintName == "t_id")
            #expect(unique?.description == "server 23505 unique_violation on constraint t_id")
            #expect(unique?.isRetriable == false)
            let check = await postgresError { try await connection.execute(insert, [.int4(2), .int4(0)]) }
            #expect(check?.isCheckViolation == true)
            #expect(check?.constraintName == "t_n_positive")
            let null = await postgresError { try await connection.execute(insert, [.int4(2), .null]) }
            #expect(null?.isNotNullViolation == true)
            #expect(null?.description == "server 23502 not_null_violation: in table t, column n")
            let key = await postgresError { try await connection.execute("INSERT INTO u VALUES (7)") }
            #expect(key?.isForeignKeyViolation == true)
            #expect(key?.constraintName == "u_t")
        }
    }

    @Test(
        "of a context only the names of functions and tables are taken",
        arguments: [
            ("PL/pgSQL function audit.note(text,integer) line 3 at RAISE", "in function audit.note"),
            (
                "SQL statement \"SELECT 4\"\nPL/pgSQL function inline_code_block line 1 at SQL statement",
                "in function inline_code_block"
            ),
            ("while locking tuple (0,1) in relation \"payments\"", "in table payments"),
            ("while updating tuple (0,1) in relation \"payments\" of 4111", nil),
            ("SQL statement \"SELECT 4\"", nil), ("PL/pgSQL function", nil), ("", nil),
        ]
    )
    func contexts(context: String, subject: String?) {
        #expect(SchemaNames.subject(inContext: context) == subject)
    }

    @Test("violating a deferred constraint fail, though the server had said INSERT 0 1 before it found out")
    func deferredConstraint() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            try await connection.executeScript(
                "CREATE TABLE t (id int CONSTRAINT t_id UNIQUE DEFERRABLE INITIALLY DEFERRED); INSERT INTO t VALUES (1)"
            )
            let alone = await postgresError { try await connection.execute("INSERT INTO t VALUES (1)") }
            #expect(alone?.constraintName == "t_id")
            let committed = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                    }
                }
            }
            #expect(committed?.constraintName == "t_id")
            #expect(committed?.outcomeUnknown == false)
            #expect(try await connection.execute("SELECT FROM t").count == 1)
        }
    }

    @Test("in one batch are all or nothing, in one round trip")
    func batch() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            _ = try await connection.execute("CREATE TABLE t (id int PRIMARY KEY)")
            let insert = "INSERT INTO t VALUES ($1) RETURNING id"
            let results = try await connection.execute([
                PostgresStatement(insert, [.int4(1)]), PostgresStatement(insert, [.int4(2)]),
                PostgresStatement("SELECT count(*) FROM t"),
            ])
            #expect(results.count == 3)
            #expect(try results[1].single().int32("id") == 2)
            #expect(try results[2].single().int64(0) == 2)

            let failed = await postgresError {
                try await connection.execute([
                    PostgresStatement(insert, [.int4(3)]), PostgresStatement(insert, [.int4(1)]),
                    PostgresStatement(insert, [.int4(4)]),
                ])
            }
            #expect(failed?.isUniqueViolation == true)
            #expect(try await connection.execute("SELECT FROM t").count == 2)

            let unsendable = await postgresError {
                try await connection.execute([
                    PostgresStatement(insert, [.int4(5)]), PostgresStatement("SELECT $1", [.timestamp(.min)]),
                ])
            }
            #expect(unsendable?.code == .invalidParameter)
            let other = try await schema.connect()
            #expect(try await other.execute("SELECT FROM t").count == 2)
        }
    }

    @Test("in a script run to the end, or not at all")
    func script() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            try await connection.executeScript(
                "CREATE TABLE t (id int); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)"
            )
            let error = await postgresError {
                try await connection.executeScript("INSERT INTO t VALUES (3); SELECT nothing; INSERT INTO t VALUES (4)")
            }
            #expect(error?.sqlState == "42703")
            #expect(try await connection.execute("SELECT FROM t").count == 2)
        }
    }

    @Test("that begin a transaction by themselves, or copy, cost the connection and nothing worse")
    func misuse() async throws {
        for sql in ["BEGIN", "COPY (SELECT 1) TO STDOUT"] {
            let connection = try await PostgresConnection.connect(
                PostgresConfiguration(conninfo: TestServer.conninfo())
            )
            #expect(await postgresError { try await connection.execute(sql) }?.code == .misuse)
            #expect(!connection.isUsable)
        }
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        #expect(await postgresError { try await connection.executeScript("BEGIN; SELECT 1") }?.code == .misuse)
        #expect(!connection.isUsable)
    }

    @Test("larger than every buffer go both ways at once")
    func large() async throws {
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        let text = String(repeating: "0123456789abcdef", count: 1 << 18)
        let batch = (0..<4).map { _ in PostgresStatement("SELECT $1", [.text(text)]) }
        let results = try await connection.execute(batch)
        #expect(results.count == 4)
        for result in results { #expect(try result.single().text(0) == text) }
    }
}

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

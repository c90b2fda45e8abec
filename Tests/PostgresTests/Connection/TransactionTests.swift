import Testing

@testable import Postgres

@Suite("A transaction", .database, .timeLimit(.minutes(2)))
struct TransactionTests {
    private static func withTable(
        _ body: (TestSchema, PostgresConnection) async throws -> Void
    ) async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            _ = try await connection.execute("CREATE TABLE t (id int CONSTRAINT t_id PRIMARY KEY, v int DEFAULT 0)")
            try await body(schema, connection)
        }
    }

    @Test("takes effect as a whole when its body returns, and is nowhere to be seen before")
    func commit() async throws {
        try await Self.withTable { schema, connection in
            let other = try await schema.connect()
            let process = try #require(await connection.backendProcess)
            let value = try await connection.run { connection throws(PostgresError) in
                try connection.transaction { connection throws(PostgresError) in
                    try connection.enqueue("INSERT INTO t VALUES ($1)", [.int4(1)])
                    try connection.enqueue("INSERT INTO t VALUES ($1)", [.int4(2)])
                    let seen = try connection.execute("SELECT FROM t").count
                    try connection.enqueue("INSERT INTO t VALUES ($1)", [.int4(3)])
                    return seen
                }
            }
            #expect(value == 2)
            #expect(try await other.execute("SELECT FROM t").count == 3)
            let state = try await other.execute("SELECT state FROM pg_stat_activity WHERE pid = $1", [.int4(process)])
            #expect(try state.single().text(0) == "idle")
        }
    }

    @Test("whose statement fails is rolled back, and the connection goes on")
    func rollback() async throws {
        try await Self.withTable { _, connection async throws in
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                    }
                }
            }
            #expect(error?.constraintName == "t_id")
            #expect(connection.isUsable)
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("is rolled back when its body throws, queued statements included")
    func bodyThrows() async throws {
        try await Self.withTable { _, connection async throws in
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                        try connection.enqueue("INSERT INTO t VALUES (2)")
                        _ = try connection.execute("SELECT 1").single().text("no such column")
                    }
                }
            }
            #expect(error?.code == .decoding)
            #expect(connection.isUsable)
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("whose queued statement fails says so where that is sent: with the next statement or with the COMMIT")
    func enqueuedFailure() async throws {
        try await Self.withTable { _, connection async throws in
            for isFollowed in [true, false] {
                let error = await postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        try connection.transaction { connection throws(PostgresError) in
                            try connection.enqueue("INSERT INTO t VALUES (1)")
                            try connection.enqueue("INSERT INTO t VALUES (1)")
                            if isFollowed { _ = try connection.execute("SELECT FROM t") }
                            try connection.enqueue("INSERT INTO t VALUES (2)")
                        }
                    }
                }
                #expect(error?.constraintName == "t_id")
                #expect(error?.outcomeUnknown == false)
                #expect(connection.isUsable)
                #expect(try await connection.execute("SELECT FROM t").isEmpty)
            }
        }
    }

    @Test("whose body swallows a failure cannot be committed, and says so")
    func swallowed() async throws {
        try await Self.withTable { _, connection async throws in
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                        _ = try? connection.execute("SELECT 1 / 0")
                    }
                }
            }
            #expect(error?.code == .transactionAborted)
            #expect(connection.isUsable)
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("that began with a failing statement is rolled back too")
    func firstFails() async throws {
        try await Self.withTable { _, connection async throws in
            for sql in ["SELECT 1 / 0", "SELEC"] {
                let error = await postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        try connection.transaction { connection throws(PostgresError) in
                            _ = try connection.execute(sql)
                        }
                    }
                }
                #expect(error?.code == .server)
                #expect(connection.isUsable)
            }
            #expect(try await connection.execute("SELECT 1").count == 1)
        }
    }

    @Test(
        "without a statement sends nothing; one within another is misuse; ended by a statement it costs the connection"
    )
    func edges() async throws {
        try await Self.withTable { _, connection async throws in
            let value = try await connection.run { connection throws(PostgresError) in
                try connection.transaction { _ throws(PostgresError) in 7 }
            }
            #expect(value == 7)
            let nested = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        try connection.transaction { _ throws(PostgresError) in }
                    }
                }
            }
            #expect(nested?.code == .misuse)
            #expect(await postgresError { try await connection.enqueue("SELECT 1") }?.code == .misuse)
            #expect(connection.isUsable)
            let ended = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("COMMIT")
                    }
                }
            }
            #expect(ended?.code == .misuse)
            #expect(!connection.isUsable)
        }
    }

    @Test("runs a script as part of it")
    func script() async throws {
        try await Self.withTable { _, connection async throws in
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        try connection.enqueue("INSERT INTO t VALUES (1)")
                        try connection.executeScript("CREATE TABLE u (id int); INSERT INTO u VALUES (1)")
                        _ = try connection.execute("SELECT 1 / (SELECT count(*) - 1 FROM u)")
                    }
                }
            }
            #expect(error?.sqlState == "22012")
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
            #expect(await postgresError { try await connection.execute("SELECT FROM u") }?.sqlState == "42P01")
        }
    }

    @Test("that cannot be serialized fails retriably")
    func serialization() async throws {
        try await Self.withTable { schema, connection in
            let other = try await schema.connect()
            _ = try await connection.execute("INSERT INTO t VALUES (1)")
            let process = try #require(await connection.backendProcess)
            // The transaction waits, in mid-flight, for a lock, until somebody else has updated its row.
            let locker = try await schema.connect()
            _ = try await locker.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            async let error = postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction(.repeatableRead) { connection throws(PostgresError) in
                        _ = try connection.execute("SELECT v FROM t")
                        _ = try connection.execute("SELECT pg_advisory_xact_lock(hashtext($1))", [.text(schema.name)])
                        _ = try connection.execute("UPDATE t SET v = v + 1")
                    }
                }
            }
            try await other.waitUntilBlocked(process)
            _ = try await other.execute("UPDATE t SET v = v + 10")
            _ = try await locker.execute("SELECT pg_advisory_unlock_all()")
            let failure = await error
            #expect(failure?.isSerializationFailure == true)
            #expect(failure?.isRetriable == true)
        }
    }

    @Test("in a deadlock with another fails retriably, and the other is committed")
    func deadlock() async throws {
        try await Self.withTable { schema, connection in
            let other = try await schema.connect()
            let observer = try await schema.connect()
            _ = try await connection.execute("INSERT INTO t VALUES (1), (2)")
            let process = try #require(await connection.backendProcess)
            let otherProcess = try #require(await other.backendProcess)
            let gate = "SELECT pg_advisory_xact_lock_shared(hashtext($1))"
            let lock = "SELECT FROM t WHERE id = $1 FOR UPDATE"
            _ = try await observer.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            let both = [(connection, Int32(1), Int32(2)), (other, 2, 1)].map { connection, first, second in
                Task {
                    await postgresError {
                        try await connection.run { connection throws(PostgresError) in
                            try connection.transaction { connection throws(PostgresError) in
                                _ = try connection.execute(lock, [.int4(first)])
                                _ = try connection.execute(gate, [.text(schema.name)])
                                _ = try connection.execute(lock, [.int4(second)])
                            }
                        }
                    }
                }
            }
            try await observer.waitUntilBlocked(process)
            try await observer.waitUntilBlocked(otherProcess)
            _ = try await observer.execute("SELECT pg_advisory_unlock_all()")
            var failures: [PostgresError] = []
            for task in both {
                if let failure = await task.value { failures.append(failure) }
            }
            #expect(failures.map(\.sqlState) == [.deadlockDetected])
            #expect(failures.allSatisfy { $0.isRetriable && !$0.outcomeUnknown })
            #expect(connection.isUsable && other.isUsable)
        }
    }
}

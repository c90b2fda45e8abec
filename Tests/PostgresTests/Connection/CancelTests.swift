import Testing

@testable import Postgres

@Suite("Giving a statement up", .database, .timeLimit(.minutes(2)))
struct CancelTests {
    @Test("by the statement timeout is the server's 57014, and retriable")
    func statementTimeout() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect { $0.statementTimeout = .milliseconds(50) }
            let error = await postgresError { try await connection.execute("SELECT pg_sleep(60)") }
            #expect(error?.code == .server)
            #expect(error?.isQueryCanceled == true)
            #expect(error?.isRetriable == true)
            #expect(error?.outcomeUnknown == false)
            #expect(try await connection.execute("SELECT 1").count == 1)
        }
    }

    @Test("by the lock timeout is 55P03, and retriable")
    func lockTimeout() async throws {
        try await TestSchema.with { schema in
            let holder = try await schema.connect()
            _ = try await holder.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            let connection = try await schema.connect { $0.lockTimeout = .milliseconds(50) }
            let error = await postgresError {
                try await connection.execute("SELECT pg_advisory_lock(hashtext($1))", [.text(schema.name)])
            }
            #expect(error?.isLockNotAvailable == true)
            #expect(error?.isRetriable == true)
            #expect(try await connection.execute("SELECT 1").count == 1)
        }
    }

    @Test("by cancel(), from any thread, ends the statement under way and no later one")
    func cancel() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            let observer = try await schema.connect()
            let process = try #require(await connection.backendProcess)
            // Nothing is under way: nothing happens.
            connection.cancel()
            #expect(try await connection.execute("SELECT 1").count == 1)
            async let error = postgresError { try await connection.execute("SELECT pg_sleep(60)") }
            try await observer.waitUntilRunning(process, "pg_sleep")
            connection.cancel()
            #expect(await error?.code == .cancelled)
            for _ in 0..<50 { #expect(try await connection.execute("SELECT 1").count == 1) }
        }
    }

    @Test("with the caller's task rolls its transaction back and leaves the connection to others")
    func task() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            let observer = try await schema.connect()
            _ = try await connection.execute("CREATE TABLE t (id int)")
            let process = try #require(await connection.backendProcess)
            let task = Task {
                await postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        try connection.transaction { connection throws(PostgresError) in
                            _ = try connection.execute("INSERT INTO t VALUES (1)")
                            _ = try connection.execute("SELECT pg_sleep(60)")
                        }
                    }
                }
            }
            try await observer.waitUntilRunning(process, "pg_sleep")
            task.cancel()
            #expect(await task.value?.code == .cancelled)
            #expect(connection.isUsable)
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("before it was begun sends nothing")
    func cancelledBefore() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            _ = try await connection.execute("CREATE TABLE t (id int)")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                return await postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                    }
                }
            }
            #expect(await task.value?.code == .cancelled)
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("over and over, at any moment, never hits anybody else's statement")
    func race() async throws {
        try await TestSchema.with { schema in
            let connection = try await schema.connect()
            for round in 0..<200 {
                let task = Task {
                    await postgresError {
                        try await connection.run { connection throws(PostgresError) in
                            for _ in 0..<5 { _ = try connection.execute("SELECT pg_sleep(0.0005)") }
                        }
                    }
                }
                for _ in 0..<(round % 20) { await Task.yield() }
                task.cancel()
                #expect(try await connection.execute("SELECT 1").count == 1)
                let error = await task.value
                #expect(error == nil || error?.code == .cancelled)
            }
            #expect(connection.isUsable)
        }
    }

    @Test("at a server that hangs gives the connection up, rather than wait forever for the cancel to be taken")
    func hungServer() async throws {
        try await TestSchema.with { schema in
            let proxy = try CuttingProxy(to: TestServer.port())
            let observer = try await schema.connect()
            let connection = try await schema.connect([
                "host": "127.0.0.1", "port": "\(proxy.port)", "sslmode": "disable",
            ])
            let process = try #require(await connection.backendProcess)
            let task = Task { await postgresError { try await connection.execute("SELECT pg_sleep(60)") } }
            try await observer.waitUntilRunning(process, "pg_sleep")
            proxy.set(.silent)
            task.cancel()
            let error = await task.value
            #expect(error?.code == .connectionLost)
            #expect(error?.outcomeUnknown == true)
            #expect(!connection.isUsable)
        }
    }
}

import Testing

@testable import Postgres

@Suite("A lost connection", .database, .timeLimit(.minutes(2)))
struct LostConnectionTests {
    @Test("in mid-statement is an error whose outcome is unknown, but within a transaction it is known")
    func midStatement() async throws {
        try await TestSchema.with { schema in
            let observer = try await schema.connect()
            for isTransaction in [false, true] {
                let connection = try await schema.connect()
                let process = try #require(await connection.backendProcess)
                async let error = postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        if isTransaction {
                            _ = try connection.transaction { connection throws(PostgresError) in
                                try connection.execute("SELECT pg_sleep(60)")
                            }
                        } else {
                            _ = try connection.execute("SELECT pg_sleep(60)")
                        }
                    }
                }
                try await observer.waitUntilRunning(process, "pg_sleep")
                try await observer.terminate(process)
                let failure = await error
                #expect(failure?.code == .connectionLost)
                #expect(failure?.isAdminShutdown == true)
                #expect(failure?.outcomeUnknown == !isTransaction)
                #expect(failure?.isRetriable == isTransaction)
                #expect(!connection.isUsable)
                let later = await postgresError { try await connection.execute("SELECT 1") }
                #expect(later?.code == .connectionLost)
                #expect(later?.outcomeUnknown == false)
            }
        }
    }

    @Test("is noticed while it is idle, and told once")
    func idle() async throws {
        try await TestSchema.with { schema in
            let losses = AsyncStream<PostgresError>.makeStream()
            let connection = try await PostgresConnection.connect(schema.configuration()) {
                losses.continuation.yield($0)
            }
            let process = try #require(await connection.backendProcess)
            let observer = try await schema.connect()
            try await observer.terminate(process)
            var iterator = losses.stream.makeAsyncIterator()
            let loss = await iterator.next()
            #expect(loss?.code == .connectionLost)
            #expect(loss?.isAdminShutdown == true)
            #expect(!connection.isUsable)
            #expect(await postgresError { try await connection.execute("SELECT 1") }?.outcomeUnknown == false)
            losses.continuation.finish()
            #expect(await iterator.next() == nil)
        }
    }

    @Test("when the answer to the COMMIT is lost, says that the outcome is unknown, and it was committed")
    func commitAnswerLost() async throws {
        try await Self.commit(cutting: .cutNextAnswer, expectingRows: 2)
    }

    @Test("when the COMMIT itself is lost, says that the outcome is unknown, and it was not committed")
    func commitRequestLost() async throws {
        try await Self.commit(cutting: .cutNextRequest, expectingRows: 0)
    }

    private static func commit(cutting mode: CuttingProxy.Mode, expectingRows rows: Int) async throws {
        try await TestSchema.with { schema in
            let proxy = try CuttingProxy(to: TestServer.port())
            let direct = try await schema.connect()
            _ = try await direct.execute("CREATE TABLE t (id int)")
            let connection = try await schema.connect([
                "host": "127.0.0.1", "port": "\(proxy.port)", "sslmode": "disable",
            ])
            let process = try #require(await connection.backendProcess)
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                        try connection.enqueue("INSERT INTO t VALUES (2)")
                        proxy.set(mode)
                    }
                }
            }
            #expect(error?.code == .connectionLost)
            #expect(error?.outcomeUnknown == true)
            #expect(error?.isRetriable == false)
            #expect(!connection.isUsable)
            try await direct.waitUntil(
                "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)",
                [.int4(process)]
            )
            #expect(try await direct.execute("SELECT FROM t").count == rows)
        }
    }

    @Test("when the server ends the session in the middle of a COMMIT, leaves the outcome unknown too")
    func commitTerminated() async throws {
        try await TestSchema.with { schema in
            let direct = try await schema.connect()
            // The deferred trigger waits within the COMMIT.
            try await direct.executeScript(
                """
                CREATE TABLE t (id int);
                CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
                    'BEGIN PERFORM pg_sleep(60); RETURN NULL; END';
                CREATE CONSTRAINT TRIGGER slow AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED
                    FOR EACH ROW EXECUTE FUNCTION slow();
                """
            )
            let connection = try await schema.connect()
            let process = try #require(await connection.backendProcess)
            let task = Task {
                await postgresError {
                    try await connection.run { connection throws(PostgresError) in
                        try connection.transaction { connection throws(PostgresError) in
                            _ = try connection.execute("INSERT INTO t VALUES (1)")
                        }
                    }
                }
            }
            try await direct.waitUntilRunning(process, "COMMIT")
            // A COMMIT is not cancelled with its task: only the server can end it.
            task.cancel()
            try await direct.terminate(process)
            let error = await task.value
            #expect(error?.code == .connectionLost)
            #expect(error?.outcomeUnknown == true)
            #expect(try await direct.execute("SELECT FROM t").isEmpty)
        }
    }

    @Test("is what becomes of one that turns out to be read-only")
    func readOnly() async throws {
        try await TestSchema.with { schema in
            let direct = try await schema.connect()
            _ = try await direct.execute("CREATE TABLE t (id int)")
            let losses = Shared(0)
            var configuration = try schema.configuration()
            configuration.sessionSettings.append(("default_transaction_read_only", "on"))
            let connection = try await PostgresConnection.connect(configuration) { _ in
                losses.update { $0 += 1 }
            }
            #expect(try await connection.execute("SELECT FROM t").isEmpty)
            let error = await postgresError {
                try await connection.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("INSERT INTO t VALUES (1)")
                    }
                }
            }
            #expect(error?.isReadOnlyTransaction == true)
            #expect(error?.isRetriable == true)
            #expect(error?.outcomeUnknown == false)
            #expect(!connection.isUsable)
            #expect(losses.value == 1)
        }
    }

    @Test("when the server says nothing any more, is given up after the answer timeout")
    func silence() async throws {
        try await TestSchema.with { schema in
            // Both limits are the server's too; it is told to sleep longer with its own limit switched off.
            let connection = try await schema.connect { configuration in
                configuration.statementTimeout = .milliseconds(100)
                configuration.answerMargin = .milliseconds(100)
            }
            _ = try await connection.execute("SET statement_timeout = 0")
            let error = await postgresError { try await connection.execute("SELECT pg_sleep(60)") }
            #expect(error?.code == .connectionLost)
            #expect(error?.reason == "no answer in time")
            #expect(error?.outcomeUnknown == true)
        }
    }

    @Test("is what becomes of all to a server that leaves one without an answer, waiting or idle; later ones are fine")
    func hungServer() async throws {
        try await TestSchema.with { schema in
            // Copies of one configuration share what they find out.
            let configuration = try schema.configuration()
            var impatient = configuration
            impatient.statementTimeout = .milliseconds(100)
            impatient.answerMargin = .milliseconds(100)
            let waiting = try await PostgresConnection.connect(configuration)
            let idle = try await PostgresConnection.connect(configuration)
            let asking = try await PostgresConnection.connect(impatient)
            let process = try #require(await waiting.backendProcess)
            async let given = postgresError { try await waiting.execute("SELECT pg_sleep(60)") }
            try await schema.connect().waitUntilRunning(process, "pg_sleep")
            _ = try await asking.execute("SET statement_timeout = 0")
            let first = await postgresError { try await asking.execute("SELECT pg_sleep(60)") }
            #expect(first?.reason == "no answer in time")
            let second = await given
            #expect(second?.code == .connectionLost)
            #expect(second?.reason == "no answer in time")
            #expect(second?.outcomeUnknown == true)
            let third = await postgresError { try await idle.execute("SELECT 1") }
            #expect(third?.code == .connectionLost)
            #expect(third?.outcomeUnknown == false)
            let later = try await PostgresConnection.connect(configuration)
            #expect(try await later.execute("SELECT 1").count == 1)
        }
    }

    @Test("closed by its owner is closed, and nothing is lost")
    func closed() async throws {
        let losses = Shared(0)
        let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo())) {
            _ in losses.update { $0 += 1 }
        }
        await connection.close()
        #expect(!connection.isUsable)
        #expect(await postgresError { try await connection.execute("SELECT 1") }?.code == .closed)
        #expect(losses.value == 0)
    }
}

@Suite("The wait between attempts")
struct BackoffTests {
    @Test("doubles up to the cap, and lies between a half and the whole of that")
    func doubling() {
        for (random, share) in [(0.0, 0.5), (1.0, 1.0)] {
            var backoff = Backoff(first: .milliseconds(100), cap: .milliseconds(350))
            let steps = (0..<4).map { _ in backoff.step(random: random) }
            #expect(steps == [100, 200, 350, 350].map { .milliseconds($0) * share })
        }
    }
}

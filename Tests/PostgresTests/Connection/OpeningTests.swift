import Testing

@testable import Postgres

@Suite("Opening a connection", .database, .timeLimit(.minutes(2)))
struct OpeningTests {
    private static func failure(
        _ changes: [String: String],
        connectTimeout: Duration = .seconds(5)
    ) async throws -> PostgresError? {
        var configuration = try PostgresConfiguration(conninfo: TestServer.conninfo(changes))
        configuration.connectTimeout = connectTimeout
        return await postgresError { try await PostgresConnection.connect(configuration) }
    }

    @Test("sets the session up, and what the connection string says wins")
    func session() async throws {
        var configuration = try PostgresConfiguration(
            conninfo: TestServer.conninfo(["options": #"-c lock_timeout=7s -c custom.mine=a\ b"#]),
            applicationName: "session test",
            statementTimeout: .milliseconds(12_345),
            idleInTransactionTimeout: .seconds(61)
        )
        configuration.sessionSettings = [("custom.text", #"two words \ "'"#)]
        let connection = try await PostgresConnection.connect(configuration)
        for (name, expected) in [
            ("TimeZone", "UTC"), ("client_encoding", "UTF8"), ("application_name", "session test"),
            ("statement_timeout", "12345ms"), ("lock_timeout", "7s"), ("custom.mine", "a b"),
            ("idle_in_transaction_session_timeout", "61s"), ("custom.text", #"two words \ "'"#),
        ] {
            let value = try await connection.execute("SELECT current_setting($1)", [.text(name)]).single().text(0)
            #expect(value == expected, "\(name)")
        }
        #expect(try await connection.backendProcess == connection.execute("SELECT pg_backend_pid()").single().int32(0))
    }

    @Test("as somebody the server does not know names the SQLSTATE and no credentials")
    func credentials() async throws {
        let error = try await Self.failure(["user": "nobody_at_all", "password": "open sesame"])
        #expect(error?.code == .connectFailed)
        #expect(error?.isAuthenticationFailure == true)
        #expect(error?.isRetriable == true)
        let text = String(reflecting: error)
        #expect(!text.contains("sesame") && !text.contains("nobody_at_all"))
    }

    @Test("to a database that does not exist is 3D000")
    func database() async throws {
        #expect(try await Self.failure(["dbname": "no_such_database"])?.sqlState == "3D000")
    }

    @Test("where nobody listens is refused, and retriable")
    func refused() async throws {
        let error = try await Self.failure(["host": "127.0.0.1", "port": "\(TestServer.closedPort())"])
        #expect(error?.code == .connectFailed)
        #expect(error?.reason == "connection refused")
        let text = try #require(error?.description)
        #expect(text.hasPrefix("cannot connect to 127.0.0.1:") && text.hasSuffix(": connection refused"), "\(text)")
        #expect(error?.isRetriable == true)
    }

    @Test("goes on to the next host when one is dead, and when one takes the call and says nothing")
    func hosts() async throws {
        let silent = try LoopbackListener()
        let ports = try [TestServer.closedPort(), silent.port, TestServer.port()].map { "\($0)" }
        var configuration = try PostgresConfiguration(
            conninfo: TestServer.conninfo([
                "host": "127.0.0.1,127.0.0.1,127.0.0.1", "port": ports.joined(separator: ","),
                "target_session_attrs": "read-write",
            ])
        )
        configuration.connectTimeout = .seconds(2)
        let connection = try await PostgresConnection.connect(configuration)
        #expect(try await connection.execute("SELECT 1").count == 1)
        withExtendedLifetime(silent) {}
    }

    @Test("to a host that says nothing ends with the connect timeout")
    func silence() async throws {
        let silent = try LoopbackListener()
        let error = try await Self.failure(
            ["host": "127.0.0.1", "port": "\(silent.port)"],
            connectTimeout: .milliseconds(100)
        )
        #expect(error?.code == .connectFailed)
        #expect(error?.reason == "no answer within the connect timeout")
    }

    @Test("ends with the caller's task")
    func cancelled() async throws {
        let silent = try LoopbackListener()
        let changes = ["host": "127.0.0.1", "port": "\(silent.port)"]
        let task = Task { try await Self.failure(changes, connectTimeout: .seconds(3600)) }
        task.cancel()
        #expect(try await task.value?.code == .cancelled)
    }

    @Test("to a primary where a standby is asked for is refused; where one is preferred it is taken")
    func attributes() async throws {
        let error = try await Self.failure(["target_session_attrs": "standby"])
        #expect(error?.code == .connectFailed)
        #expect(error?.reason == "the server is not a standby")
        let connection = try await PostgresConnection.connect(
            PostgresConfiguration(conninfo: TestServer.conninfo(["target_session_attrs": "prefer-standby"]))
        )
        #expect(try await connection.execute("SELECT 1").count == 1)
    }

    @Test("routes notices to the observer, without their text")
    func notices() async throws {
        let notices = AsyncStream<PostgresNotice>.makeStream()
        let configuration = try PostgresConfiguration(
            conninfo: TestServer.conninfo(),
            onNotice: { notices.continuation.yield($0) }
        )
        let connection = try await PostgresConnection.connect(configuration)
        _ = try await connection.execute("DO $$ BEGIN RAISE WARNING 'secret'; END $$")
        var iterator = notices.stream.makeAsyncIterator()
        let notice = await iterator.next()
        #expect(notice?.severity == "WARNING")
        #expect(notice?.sqlState == "01000")
        #expect(!String(reflecting: notice).contains("secret"))
    }

    @Test(
        "reads the settings out of startup options, and leaves to the server what is none",
        arguments: [
            ("-c a=1 -c b.c=x\\ y", ["a=1", "b.c=x y"]), ("-ca=1 --work-mem=4MB", ["a=1", "work_mem=4MB"]), ("", []),
            ("-c a='q'", ["a='q'"]), ("-d 5", nil), ("-c", nil), ("-c a", nil), ("--=1", nil), ("x", nil),
        ] as [(String, [String]?)]
    )
    func startupOptions(text: String, settings: [String]?) {
        #expect(SessionOptions.settings(in: text)?.map { "\($0.name)=\($0.value)" } == settings)
    }

    @Test("asks several hosts for the one that takes writes, unless the connection string says otherwise")
    func attributes() throws {
        func attributes(_ conninfo: String) throws -> String? {
            let configuration = try PostgresConfiguration(conninfo: conninfo)
            return configuration.parameters(host: configuration.connectionString.hosts?[0], attributes: nil)
                .last { $0.keyword == "target_session_attrs" }?.value
        }
        #expect(try attributes("host=a,b") == "read-write")
        #expect(try attributes("host=a,b target_session_attrs=any") == "any")
        #expect(try attributes("host=a") == nil)
    }

    @Test("tries a host last that has left a request without an answer, until it takes a session")
    func silentHost() {
        let (first, second) = (ConnectionString.Host(host: "a"), ConnectionString.Host(host: "b"))
        let silences = ServerSilences()
        #expect(silences.sorted([first, second]) == [first, second])
        let before = ContinuousClock.now
        silences.note(first, since: before + .seconds(1))
        #expect(silences.sorted([first, second]) == [second, first])
        #expect(silences.isSilent(first, since: before))
        #expect(!silences.isSilent(first, since: before + .seconds(2)))
        #expect(!silences.isSilent(second, since: before))
        silences.clear(first)
        #expect(silences.sorted([first, second]) == [first, second])
    }
}

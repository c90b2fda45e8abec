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

@Suite("A connection string")
struct ConnectionStringTests {
    @Test(
        "is taken in every form that libpq takes",
        arguments: [
            "", "host=localhost", "postgresql://", "postgres://user:pass%20word@[::1]:5433/db?sslmode=require",
            "postgresql://h1,h2/db?target_session_attrs=read-write", "host=a,b port=1,2 dbname='a b'",
            "host=h1,h2,h3 port=5432", "postgresql:///db?host=/var/run/postgresql",
        ]
    )
    func valid(text: String) throws {
        _ = try PostgresConfiguration(conninfo: text)
    }

    @Test(
        "is refused in one line that quotes nothing of it",
        arguments: [
            "sesame", "password=sesame sesame", "password='sesame", "postgresql://u:sesame%zz@h/db",
            "postgresql://u:p@h/db?sesame=1", "postgresql://[::1/sesame", "host=h port=sesame", "port=0", "port=65536",
            "host=a,b,c port=1,2", "target_session_attrs=sesame", "sslmode=sesame", "connect_timeout=sesame",
            "host=a\0sesame", "host=a,b hostaddr=127.0.0.1",
        ]
    )
    func invalid(text: String) {
        let error = #expect(throws: PostgresError.self) { try PostgresConfiguration(conninfo: text) }
        #expect(error?.code == .invalidConfiguration)
        #expect(error?.isRetriable == false)
        let description = String(reflecting: error) + (error?.description ?? "")
        #expect(!description.contains("sesame") && !(error?.description.contains("\n") ?? true))
    }

    @Test(
        "of several hosts means the one that takes writes, unless it says otherwise",
        arguments: [
            ("host=a", nil), ("host=a,b", "read-write"), ("postgresql://a:1,b:2/db", "read-write"),
            ("host=a,b target_session_attrs=any", "any"), ("host=a,b target_session_attrs=primary", "primary"),
        ] as [(String, String?)]
    )
    func attributes(text: String, expected: String?) throws {
        let configuration = try PostgresConfiguration(conninfo: text)
        let host = try #require(configuration.connectionString.hosts?.last)
        let parameters = configuration.parameters(host: host, attributes: nil)
        #expect(parameters.last { $0.keyword == "target_session_attrs" }?.value == expected)
    }

    @Test("shows no password, nor what else may be one")
    func description() throws {
        for text in [
            "postgresql://me:sesame@h1:1,h2:2/payments?sslpassword=sesame",
            "host=h1,h2 port=1,2 password=sesame dbname=payments",
        ] {
            let configuration = try PostgresConfiguration(conninfo: text)
            #expect(configuration.description == "PostgreSQL database payments at h1:1, h2:2")
            var dumped = ""
            dump(configuration, to: &dumped)
            #expect(!"\(configuration) \(String(reflecting: configuration)) \(dumped)".contains("sesame"))
        }
    }

    @Test(
        "leads to this machine only, or does not",
        arguments: [
            ("host=127.0.0.1", true), ("host=localhost", true), ("host=LOCALHOST", true), ("host=::1", true),
            ("postgresql://[::1]:5432/db", true), ("host=127.8.9.1", true), ("host=/run/postgresql", true),
            ("host=@abstract", true), ("postgresql://127.0.0.1,localhost/db", true),
            ("host=db.example hostaddr=127.0.0.1", true), ("host=localhost hostaddr=10.0.0.1", false),
            ("host=127.0.0.1,10.0.0.1", false), ("host=db.example", false), ("host=127.0.0.1.example", false),
            ("host=::2", false), ("host=10.127.0.0", false), ("service=production", false),
        ]
    )
    func loopback(text: String, expected: Bool) throws {
        #expect(try PostgresConfiguration(conninfo: text).isLoopbackOnly == expected)
    }
}

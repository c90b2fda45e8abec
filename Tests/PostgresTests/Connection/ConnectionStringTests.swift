import Testing

@testable import Postgres

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

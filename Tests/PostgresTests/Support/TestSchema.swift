import Glibc
import Synchronization
import Testing

@testable import Postgres

/// A schema of a random name, first in the search path of every connection made with `configuration`, dropped in the
/// end.
struct TestSchema: Sendable {
    let name: String
    private let changes: [String: String]

    static func with<Value>(
        _ changes: [String: String] = [:],
        _ body: (TestSchema) async throws -> Value
    ) async throws -> Value {
        let schema = TestSchema(name: "test_" + String(UInt64.random(in: .min ... .max), radix: 36), changes: changes)
        let admin = try await PostgresConnection.connect(PostgresConfiguration(conninfo: TestServer.conninfo()))
        _ = try await admin.execute("CREATE SCHEMA \(schema.name)")
        do {
            let value = try await body(schema)
            try await schema.drop(admin)
            return value
        } catch {
            try await schema.drop(admin)
            throw error
        }
    }

    func configuration(_ changes: [String: String] = [:]) throws -> PostgresConfiguration {
        var configuration = try PostgresConfiguration(
            conninfo: TestServer.conninfo(self.changes.merging(changes) { $1 }),
            applicationName: name
        )
        configuration.sessionSettings = [("search_path", name), ("deadlock_timeout", "100ms")]
        return configuration
    }

    func connect(
        _ changes: [String: String] = [:],
        _ adjust: (inout PostgresConfiguration) -> Void = { _ in }
    ) async throws -> PostgresConnection {
        var configuration = try configuration(changes)
        adjust(&configuration)
        return try await PostgresConnection.connect(configuration)
    }

    private func drop(_ admin: PostgresConnection) async throws {
        // Whoever is left over from a failed test would hold the drop up.
        _ = try await admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
            [.text(name)]
        )
        _ = try await admin.execute("DROP SCHEMA \(name) CASCADE")
        await admin.close()
    }
}

extension PostgresConnection {
    /// Waits, within the suite's time limit, until a query of one boolean says true.
    func waitUntil(_ query: String, _ parameters: [PostgresValue] = []) async throws {
        while try !execute(query, parameters).single().bool(0) {
            try await Task.sleep(for: .milliseconds(5))
        }
    }

    /// Waits until the server's process waits for a lock.
    func waitUntilBlocked(_ process: Int32) async throws {
        try await waitUntil(
            "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1 AND wait_event_type = 'Lock')",
            [.int4(process)]
        )
    }

    /// Waits until the server's process is at a statement that has this text in it.
    func waitUntilRunning(_ process: Int32, _ text: String) async throws {
        try await waitUntil(
            """
            SELECT EXISTS (SELECT FROM pg_stat_activity
                           WHERE pid = $1 AND state = 'active' AND position($2 in query) > 0)
            """,
            [.int4(process), .text(text)]
        )
    }

    func terminate(_ process: Int32) throws(PostgresError) {
        _ = try execute("SELECT pg_terminate_backend($1)", [.int4(process)])
    }
}

/// What an expression throws, if it is of the driver's.
func postgresError(_ body: () async throws -> some Any) async -> PostgresError? {
    do {
        _ = try await body()
        return nil
    } catch {
        return error as? PostgresError
    }
}

/// The server of `DATABASE_URL`.
enum TestServer {
    struct NotConfigured: Error {}

    static func conninfo() throws -> String {
        guard let value = getenv("DATABASE_URL") else { throw NotConfigured() }
        return String(cString: value)
    }

    /// The connection string with some keywords set otherwise.
    static func conninfo(_ changes: [String: String]) throws -> String {
        let original = try ConnectionString(conninfo())
        var values = Dictionary(uniqueKeysWithValues: original.values.map { ($0.keyword, $0.value) })
        values.merge(changes) { $1 }
        return values.map { keyword, value in
            let escaped = value.reduce(into: "") { text, character in
                if character == "'" || character == "\\" { text.append("\\") }
                text.append(character)
            }
            return "\(keyword)='\(escaped)'"
        }.joined(separator: " ")
    }

    static func port() throws -> UInt16 {
        let string = try ConnectionString(conninfo())
        return string["port"].flatMap { UInt16($0) } ?? 5432
    }

    /// A port of this machine on which nobody listens.
    static func closedPort() throws -> UInt16 {
        let listener = try LoopbackListener()
        return listener.port
    }
}

/// Lets only a few tests at the server at a time: all at once would be more sessions than it takes.
struct DatabaseTrait: SuiteTrait, TestTrait, TestScoping {
    private static let gate = Gate(places: 4)

    var isRecursive: Bool { true }

    func provideScope(
        for test: Test,
        testCase: Test.Case?,
        performing function: @Sendable () async throws -> Void
    ) async throws {
        guard testCase != nil else { return try await function() }
        await Self.gate.enter()
        do {
            try await function()
        } catch {
            await Self.gate.leave()
            throw error
        }
        await Self.gate.leave()
    }
}

extension Trait where Self == DatabaseTrait {
    static var database: Self { DatabaseTrait() }
}

private actor Gate {
    private var places: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(places: Int) {
        self.places = places
    }

    func enter() async {
        guard places == 0 else {
            places -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    /// The place goes to the next in line, if there is one.
    func leave() {
        if waiting.isEmpty { places += 1 } else { waiting.removeFirst().resume() }
    }
}

/// A value that several tasks of a test write.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    @discardableResult
    func update<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { value in body(&value) }
    }
}

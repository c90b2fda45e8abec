import Core
import Logging
import Postgres
import TestSupport
import Testing

@testable import Processor

@Suite("Watching the database", .timeLimit(.minutes(2)))
struct DatabaseWatchTests {
    @Test("a database that could only be read from for a while is noticed, and so is its end")
    func readOnly() async throws {
        try await TestDatabase.named { url in
            try await TestDatabase.withPools(of: url) { other in
                let name = try #require(try await other.queries.execute("SELECT current_database()").first?.text(0))
                _ = try await other.queries.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
                // Its sessions begin while it is so.
                try await TestDatabase.withPools(of: url) { pools in
                    let readiness = Readiness()
                    let watch = DatabaseWatch(pool: pools.watch, readiness: readiness, logger: Logger(label: "test"))
                    let watching = Task { await watch.run() }
                    try await eventually("it is noticed") {
                        readiness.current.problems.contains { $0.contains("it can only be read from") }
                    }
                    try await other.queries.withConnection { connection throws(PostgresError) in
                        // It may be a session that has begun meanwhile.
                        _ = try connection.execute("SET default_transaction_read_only = off")
                        _ = try connection.execute("ALTER DATABASE \(name) RESET default_transaction_read_only")
                    }
                    try await eventually("its end is noticed") { readiness.current.problems.isEmpty }
                    watching.cancel()
                    await watching.value
                }
            }
        }
    }
}

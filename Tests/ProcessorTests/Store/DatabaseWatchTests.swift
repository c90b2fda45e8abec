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
                    let logger = Logger(label: "test")
                    let watch = DatabaseWatch(
                        pool: pools.watch,
                        readiness: readiness,
                        logger: logger,
                        spell: ReadOnlySpell(logger: logger)
                    )
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

    @Test("a spell in which nothing can be written is one line at its begin and one at its end, however much is tried")
    func oneSpell() async throws {
        try await TestDatabase.named { url in
            let log = try CapturedLog(level: .info)
            let readiness = Readiness()
            let outages = OutageLog()
            let links = LinkObserver(readiness: readiness, logger: log.logger, outages: outages)
            try await TestDatabase.withPools(of: url, onStateChange: links.databaseChanged) { pools in
                let name = try #require(try await pools.queries.execute("SELECT current_database()").first?.text(0))
                let watch = DatabaseWatch(
                    pool: pools.watch,
                    readiness: readiness,
                    logger: log.logger,
                    spell: links.spell
                )
                let watching = Task { await watch.run() }
                // New sessions may not write; those of the watch and the others may, until they are lost.
                _ = try await pools.queries.execute("ALTER DATABASE \(name) SET default_transaction_read_only = on")
                _ = try await pools.claims.execute("SET default_transaction_read_only = on")
                for _ in 0..<20 {
                    await #expect(throws: PostgresError.self) {
                        _ = try await pools.claims.execute("CREATE TABLE t (n integer)")
                    }
                    #expect(!readiness.current.problems.isEmpty || links.spell.isOn)
                }
                try await eventually("it is noticed") {
                    readiness.current.problems.contains { $0.contains("it can only be read from") }
                }
                try await pools.queries.withConnection { connection throws(PostgresError) in
                    // It may be a session that has begun meanwhile.
                    _ = try connection.execute("SET default_transaction_read_only = off")
                    _ = try connection.execute("ALTER DATABASE \(name) RESET default_transaction_read_only")
                }
                try await eventually("its end is noticed") { readiness.current.problems.isEmpty }
                watching.cancel()
                await watching.value
            }
            let lines = log.lines().filter { $0.contains("the database") }
            let messages = ["the database can only be read from, trying again", "the database can be written to again"]
            #expect(lines.count == messages.count, "\(lines)")
            for (line, message) in zip(lines, messages) { #expect(line.contains(message), "\(lines)") }
            #expect(outages.isOn(ReadOnlySpell.outage) == false)
        }
    }
}

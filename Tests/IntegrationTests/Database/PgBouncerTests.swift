import Core
import Postgres
import TestSupport
import Testing

extension CommandLane {
    @Suite("Through PgBouncer", .timeLimit(.minutes(10)))
    struct PgBouncerTests {
        @Test("commands end as they do without it", arguments: PgBouncer.Kind.here)
        func commands(_ kind: PgBouncer.Kind) async throws {
            try await World.run { world in
                try await PgBouncer.run(kind, to: world.database.url) { bouncer in
                    let settings = ["DATABASE_URL": bouncer.url, "DATABASE_STATEMENT_TIMEOUT": "7s"]
                    let first = try await world.startProcessor(nil, settings)
                    let second = try await world.startProcessor(nil, settings)
                    let authorizes = (0..<40).map { _ in TestCommand.authorize() }
                    try await world.send(authorizes)
                    try await world.expect(authorizes, endAs: "succeeded")
                    let captures = authorizes.map { TestCommand.capture($0.paymentID) }
                    try await world.send(captures + authorizes.map(\.duplicate))
                    try await world.expect(captures, endAs: "succeeded")
                    // Those whose statements are planned anew each time say so.
                    let keepsPrepared = kind.version == "1.24" && kind.mode == .transaction
                    #expect(first.log.contains("keeps no prepared statements") == !keepsPrepared)
                    for processor in [first, second] { #expect(try await processor.terminate() == .status(0)) }
                }
            }
        }

        @Test("each transaction has the settings and the statements of its own client", arguments: PgBouncer.Kind.here)
        func settings(_ kind: PgBouncer.Kind) async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                // Fewer sessions at the server than clients, where they share them.
                let poolSize = kind.mode == .session ? 20 : 2
                try await PgBouncer.run(kind, to: world.database.url, poolSize: poolSize) { bouncer in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for client in 0..<6 {
                            group.addTask { try await Self.check(bouncer.url, timeout: 7_000 + client) }
                        }
                        try await group.waitForAll()
                    }
                }
            }
        }

        @Test(
            "migrators at once, each of whose statements goes to another session, leave no lock and no setting there",
            arguments: PgBouncer.Kind.here.filter { $0.mode == .transaction }
        )
        func migrators(_ kind: PgBouncer.Kind) async throws {
            try await World.run(World.Settings(isAudited: false)) { world in
                try await PgBouncer.run(kind, to: world.database.url, poolSize: 4, isRoundRobin: true) { bouncer in
                    try await withThrowingTaskGroup(of: Void.self) { group in
                        for _ in 0..<4 {
                            group.addTask {
                                let migrate = try await world.command(["migrate"], ["DATABASE_URL": bouncer.url])
                                try #require(migrate.exit == .status(0), "\(migrate)")
                            }
                        }
                        try await group.waitForAll()
                    }
                    let locks =
                        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' "
                        + "AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
                    #expect(try await world.database.number(locks) == 0)
                    let broken = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"
                    #expect(try await world.database.number(broken) == 0)
                    let connection = try await PostgresConnection.connect(PostgresConfiguration(conninfo: bouncer.url))
                    // Without the settings that our own transactions have: what another client finds in each session.
                    let check = """
                        DO $$ BEGIN
                            ASSERT current_setting('statement_timeout') = '0' AND current_setting('lock_timeout') = '0';
                        END $$
                        """
                    for _ in 0..<8 {
                        try await connection.run { connection throws(PostgresError) in
                            try connection.executeScript(check)
                        }
                    }
                    await connection.close()
                }
            }
        }

        private static func check(_ url: String, timeout: Int) async throws {
            let configuration = try PostgresConfiguration(
                conninfo: url,
                statementTimeout: .milliseconds(timeout),
                sessionSettings: [("payments.client", "\(timeout) of 'all'")]
            )
            let connection = try await PostgresConnection.connect(configuration)
            for round in 0..<50 {
                let row = try await connection.run { connection throws(PostgresError) in
                    let sql = """
                        SELECT (SELECT setting::bigint FROM pg_settings WHERE name = 'statement_timeout'),
                            current_setting('payments.client'), $1::bigint
                        """
                    return round % 2 == 0
                        ? try connection.execute(sql, [.int8(Int64(round))]).single()
                        : try connection.transaction { connection throws(PostgresError) in
                            try connection.execute(sql, [.int8(Int64(round))]).single()
                        }
                }
                try #require(try row.int64(0) == Int64(timeout))
                try #require(try row.text(1) == "\(timeout) of 'all'")
                try #require(try row.int64(2) == Int64(round))
                // More texts than a connection keeps prepared.
                let own = try await connection.run { connection throws(PostgresError) in
                    var sum: Int64 = 0
                    for number in 0..<5 {
                        let sql = "SELECT \(timeout)::bigint * \(round * 5 + number)"
                        sum += try connection.execute(sql).single().int64(0)
                    }
                    return sum
                }
                try #require(own == Int64(timeout * (round * 25 + 10)))
            }
            await connection.close()
        }
    }
}

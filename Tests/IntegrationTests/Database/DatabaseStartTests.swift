import Core
import Postgres
import TestSupport
import Testing

extension CommandLane {
    @Suite("A database at the start", .timeLimit(.minutes(10)))
    struct DatabaseStartTests {
        private static let settings = World.Settings(isAudited: false)

        @Test(
            "that would break the promises is refused with one line and 78",
            arguments: [
                (["ALTER DATABASE :db SET synchronous_commit = off"], "synchronous_commit is off"),
                (["ALTER DATABASE :db SET synchronous_commit = local"], "synchronous_commit is local"),
                (
                    [
                        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum bytea, applied_at timestamptz)",
                        "CREATE SCHEMA hiding", "ALTER DATABASE :db SET search_path = hiding, public",
                    ], "new tables would go to hiding"
                ),
                (
                    [
                        "CREATE SCHEMA hiding",
                        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum bytea, applied_at timestamptz)",
                        "CREATE TABLE hiding.schema_migrations (name text PRIMARY KEY, checksum bytea, applied_at timestamptz)",
                        "ALTER DATABASE :db SET search_path = hiding, public",
                    ], "hiding hides public"
                ),
                (["CREATE TABLE schema_migrations (version text PRIMARY KEY)"], "of another program"),
                (["ALTER DATABASE :db SET search_path = nowhere"], "search_path names no schema"),
            ] as [([String], String)]
        )
        func refused(statements: [String], expected: String) async throws {
            try await World.run(Self.settings) { world in
                for statement in statements {
                    try await world.database.execute(statement.replacing(":db", with: world.database.name))
                }
                for command in ["run", "migrate"] {
                    try await Self.expect(world.command([command]), 78, expected)
                }
            }
        }

        @Test("whose encoding is not UTF8 is refused with one line and 78")
        func encoding() async throws {
            try await World.run(Self.settings) { world in
                let name = "\(world.database.name)_latin1"
                try await world.database.execute(
                    "CREATE DATABASE \(name) ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0"
                )
                let url = ServerURL(world.database.url).database(name)
                for command in ["run", "migrate"] {
                    try await Self.expect(world.command([command], ["DATABASE_URL": url]), 78, "the encoding LATIN1")
                }
                try await world.database.execute("DROP DATABASE \(name)")
            }
        }

        @Test("whose schema is not current is not changed with database.migrate=false, but refused with what to run")
        func onlyChecked() async throws {
            try await World.run { world in
                let only = ["DATABASE_MIGRATE": "false"]
                try await Self.expect(world.command(["run"], only), 78, "run `processor migrate`")
                let tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
                #expect(try await world.database.number(tables) == 0)
                #expect(try await world.command(["migrate"]).exit == .status(0))
                try await world.startProcessor(nil, only)
                _ = try await world.authorized()
            }
        }

        @Test("is used by a role that may only read and write; what it may not migrate is refused with what to run")
        func role() async throws {
            try await World.run { world in
                let role = "\(world.database.name)_role"
                try await world.database.execute("CREATE ROLE \(role) LOGIN PASSWORD 'secret'")
                let server = ServerURL(world.database.url)
                let url = "postgresql://\(role):secret@127.0.0.1:\(server.port)/\(world.database.name)"
                try await Self.expect(world.command(["run"], ["DATABASE_URL": url]), 78, "may not change the schema")
                #expect(try await world.command(["migrate"]).exit == .status(0))
                let grants = try await world.command(["grants", "--role", role])
                #expect(grants.exit == .status(0), "\(grants.errors)")
                for statement in grants.output.split(separator: "\n") {
                    try await world.database.execute(String(statement))
                }
                let processor = try await world.startProcessor(nil, ["DATABASE_URL": url])
                let payment = try await world.authorized()
                #expect(try await world.ask(.capture(payment)).result == "succeeded")
                #expect(try await world.ask(.authorize(card: .empty)).result == "declined insufficient_funds")
                // What sweeps, dead letters and their discarding write.
                let own = ["DATABASE_URL": url]
                for job in ["reconcile", "expire", "retention"] {
                    #expect(try await world.command(["sweeps", "run", job], own).exit == .status(0))
                }
                try await world.sendUnanswerable(1)
                try await world.keptDeadLetters(1)
                let discarded = ["dead-letters", "discard", "--all", "--confirm", "1", "--reason", "a test"]
                #expect(try await world.command(discarded, own).exit == .status(0))
                for table in ["payment_history", "dead_letter_audit"] {
                    let right = "has_table_privilege('\(role)', '\(table)', 'DELETE')"
                    #expect(try await world.database.number("SELECT count(*) WHERE \(right)") == 0)
                }
                #expect(try await processor.terminate() == .status(0))
                try await world.database.execute("DROP OWNED BY \(role)")
                try await world.database.execute("DROP ROLE \(role)")
            }
        }

        @Test(
            "that a newer version has migrated is used where it is marked as compatible, else refused with what to install"
        )
        func newerSchema() async throws {
            try await World.run { world in
                #expect(try await world.command(["migrate"]).exit == .status(0))
                try await world.database.execute(
                    "INSERT INTO schema_migrations (name, checksum, compatible_from) "
                        + "SELECT '9001_next', '', max(left(name, 4)::integer) FROM schema_migrations"
                )
                let processor = try await world.startProcessor()
                _ = try await world.authorized()
                #expect(try await processor.terminate() == .status(0))
                try await world.database.execute(
                    "UPDATE schema_migrations SET compatible_from = 9001 WHERE name = '9001_next'"
                )
                for command in ["run", "migrate"] {
                    try await Self.expect(world.command([command]), 78, "install the processor that has migration 9001")
                }
            }
        }

        @Test("SIGTERM ends a processor whose migration waits for a lock")
        func shutdownWhileWaiting() async throws {
            try await World.run(Self.settings) { world in
                #expect(try await world.command(["migrate"]).exit == .status(0))
                // The newest migration, which begins with a table, is to be applied once more.
                try await world.database.execute("DROP TRIGGER operations_noted ON operations")
                try await world.database.execute("DROP FUNCTION note_new_operations")
                try await world.database.execute("DROP TABLE new_operations")
                try await world.database.execute("DELETE FROM schema_migrations WHERE name LIKE '0011%'")
                let lock = try await PostgresConnection.connect(PostgresConfiguration(conninfo: world.database.url))
                async let held: Void = lock.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("LOCK TABLE operations IN ROW EXCLUSIVE MODE")
                        _ = try connection.execute("SELECT pg_sleep(25)")
                    }
                }
                let processor = try world.spawnProcessor()
                try await processor.logged("0011_new_operations waits for a lock")
                #expect(try await processor.terminate(within: .seconds(20)) == .status(0))
                lock.cancel()
                _ = try? await held
                await lock.close()
                #expect(try await world.command(["migrate"]).output.contains("0011_new_operations"))
            }
        }

        @Test("an error of SQL is not called a database that cannot be reached")
        func errorOfSQL() async throws {
            try await World.run(Self.settings) { world in
                #expect(try await world.command(["migrate"]).exit == .status(0))
                let lock = try await PostgresConnection.connect(PostgresConfiguration(conninfo: world.database.url))
                async let held: Void = lock.run { connection throws(PostgresError) in
                    try connection.transaction { connection throws(PostgresError) in
                        _ = try connection.execute("LOCK TABLE payments")
                        _ = try connection.execute("SELECT pg_sleep(25)")
                    }
                }
                let locked =
                    "SELECT count(*) FROM pg_locks WHERE relation = 'payments'::regclass AND mode LIKE 'AccessExcl%'"
                try await eventually("the table was locked") { try await world.database.number(locked) == 1 }
                let limit = ["DATABASE_STATEMENT_TIMEOUT": "1s"]
                let result = try await world.command(["payments", "show", Random.id], limit)
                lock.cancel()
                _ = try? await held
                await lock.close()
                #expect(result.exit == .status(69))
                #expect(result.errors.contains("57014"), "\(result.errors)")
                #expect(!result.errors.contains("cannot be reached"), "\(result.errors)")
            }
        }

        private static func expect(
            _ result: (exit: Child.Exit, output: String, errors: String),
            _ status: Int32,
            _ text: String,
            sourceLocation: SourceLocation = #_sourceLocation
        ) {
            #expect(result.exit == .status(status), "\(result.errors)", sourceLocation: sourceLocation)
            let lines = result.errors.split(separator: "\n").filter { $0.hasPrefix("processor: ") }
            #expect(lines.count == 1, "\(result.errors)", sourceLocation: sourceLocation)
            #expect(lines.first?.contains(text) == true, "\(result.errors)", sourceLocation: sourceLocation)
        }
    }
}

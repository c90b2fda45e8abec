import HTTPClient
import TestSupport
import Testing

extension OutageLane {
    @Suite("A database that refuses what commands need", .timeLimit(.minutes(10)))
    struct RefusingDatabaseTests {
        private struct Refusal: Sendable {
            let begin: [String]
            let end: String
            /// What `/readyz` and the log say.
            let words: String
        }

        private static let refusals = [
            Refusal(
                begin: [
                    "CREATE FUNCTION refuse() RETURNS trigger AS $$ BEGIN RAISE 'no'; END $$ LANGUAGE plpgsql",
                    "CREATE TRIGGER refuse BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION refuse()",
                ],
                end: "DROP TRIGGER refuse ON operations",
                words: "claiming operations: server P0001 raise_exception: in function refuse"
            ),
            Refusal(
                begin: ["ALTER TABLE payments RENAME TO payments_elsewhere"],
                end: "ALTER TABLE payments_elsewhere RENAME TO payments",
                words: #"server 42P01 undefined_table: relation "payments" does not exist"#
            ),
            Refusal(
                begin: ["ALTER TABLE operations RENAME COLUMN fencing_token TO fencing_token_elsewhere"],
                end: "ALTER TABLE operations RENAME COLUMN fencing_token_elsewhere TO fencing_token",
                words: "server 42703 undefined_column: column"
            ),
        ]

        @Test("is not ready, and named with what it refuses, until it does its work again")
        func refuses() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                _ = try await world.authorized()
                var commands: [TestCommand] = []
                for refusal in Self.refusals {
                    for statement in refusal.begin { try await world.database.execute(statement) }
                    commands += try await Self.publish(to: world)
                    try await Self.logs(refusal.words, processor)
                    try await world.database.execute(refusal.end)
                    _ = try await world.authorized()
                    try await processor.answersReady(200)
                }
                try await world.expect(commands, endAs: "succeeded")
            }
        }

        @Test("stays ready where it refuses one command for what it is, however often that comes")
        func oneCommand() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                let command = TestCommand.authorize()
                for statement in [
                    """
                    CREATE FUNCTION refuse() RETURNS trigger AS
                    $$ BEGIN IF NEW.idempotency_key = '\(command.key)' THEN RAISE 'no'; END IF; RETURN NEW; END $$
                    LANGUAGE plpgsql
                    """,
                    "CREATE TRIGGER refuse BEFORE INSERT ON operations FOR EACH ROW EXECUTE FUNCTION refuse()",
                ] {
                    try await world.database.execute(statement)
                }
                try await world.send([command, command.duplicate, command.duplicate])
                // Each has come back from the first retry tier: for longer than any patience there was nothing but refusals.
                try await eventually("it was refused six times", context: { processor.child.lastWords }) {
                    processor.log.split(separator: "\n").count { line in
                        line.contains("msg=command ") && line.contains("idempotency.key=\(command.key) ")
                            && line.contains("reason=store_refused")
                    } >= 6
                }
                let web = try await processor.admin()
                let answer = try await web.send(.get, "/readyz")
                #expect(answer.status == 200, "\(String(decoding: answer.body, as: UTF8.self))")
                await web.shutdown()
                try await world.database.execute("DROP TRIGGER refuse ON operations")
                try await world.expect([command], endAs: "succeeded")
            }
        }

        @Test("is not ready while somebody holds a lock on a table")
        func locked() async throws {
            try await World.run { world in
                let processor = try await world.startProcessor()
                _ = try await world.authorized()
                // Else the note of it is the first that fails, and the log names the first of each kind.
                try await eventually("it is noted") {
                    try await world.database.number("SELECT count(*) FROM operations WHERE notified_at IS NULL") == 0
                }
                let holder = Task {
                    try await world.database.execute(
                        "DO $$ BEGIN LOCK TABLE operations; PERFORM pg_sleep(300); END $$"
                    )
                }
                try await eventually("the lock is held") {
                    try await world.database.number(
                        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                    ) > 0
                }
                let commands = try await Self.publish(to: world)
                try await Self.logs("claiming operations: server 57014 query_canceled", processor)
                try await world.database.execute(
                    "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
                )
                _ = await holder.result
                try await processor.answersReady(200)
                try await world.expect(commands, endAs: "succeeded")
            }
        }

        private static func publish(to world: World) async throws -> [TestCommand] {
            let commands = (0..<4).map { _ in TestCommand.authorize() }
            try await world.upstream.publish(commands, to: world.names)
            return commands
        }

        private static func logs(_ words: String, _ processor: ProcessorProcess) async throws {
            let web = try await processor.admin()
            try await eventually("/readyz named it", context: { processor.child.lastWords }) {
                let answer = try await web.send(.get, "/readyz")
                let text = String(decoding: answer.body, as: UTF8.self)
                return answer.status == 503 && text.contains(#""database":"stalled""#)
                    && text.replacing(#"\""#, with: "\"").contains(words)
            }
            await web.shutdown()
            try await processor.logged("msg=\"store failed\"", words.replacing("\"", with: "\\\""))
        }
    }
}

extension CommandLane {
    @Suite("A database that is unavailable for longer than a delivery may be held", .timeLimit(.minutes(10)))
    struct UnavailableDatabaseTests {
        @Test(
            "commands go back to the broker, which keeps their order, also for the processor that follows",
            arguments: [false, true]
        )
        func keepsOrder(isReplaced: Bool) async throws {
            try await World.run { world in
                let first = try await world.startProcessor()
                try await world.database.setAway(true)
                let authorize = TestCommand.authorize()
                let payment = authorize.paymentID
                let commands = [authorize, .capture(payment), .void(payment), .refund(payment)]
                try await world.send(Array(commands.prefix(2)))
                try await first.logged("no commands are taken: those without a place go back to the broker")
                try await world.send(Array(commands.suffix(2)))
                if isReplaced {
                    try await first.child.crash()
                    try await world.database.setAway(false)
                    try await world.startProcessor()
                } else {
                    try await world.database.setAway(false)
                }
                let results = try await world.upstream.finalReplies(to: commands).map(\.result)
                #expect(results == ["succeeded", "succeeded", "rejected invalid_transition", "succeeded"])
            }
        }
    }
}

import ArgumentParser
import Core
import Postgres
import Program

struct Migrate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Brings the database schema up to date, and prints what was applied.",
        discussion: """
            Each migration runs once, in order, in a transaction; any number of processors may try at the same time. It takes the \
            time it needs, and waits for locks in short tries, so that live traffic goes on. `processor run` does this too, \
            unless database.migrate is false; then its role needs to read and write the tables only.
            """
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let preparation = DatabasePreparation(pool: .forCommand(configuration), configuration: configuration) {
            StandardStream.error.print("processor: \($0)")
        }
        let applied = try await preparation.run(migrates: true)
        for name in applied { StandardStream.output.print(name) }
        if applied.isEmpty { StandardStream.error.print("processor: the schema is up to date") }
    }
}

/// The SQL that gives a role what `processor run` needs, and nothing more.
struct Grants: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Prints the SQL that gives a database role what `processor run` needs, and nothing more.",
        discussion: """
            It connects to nothing. Let the owner of the schema run what it prints, again after every `processor migrate`: \
            processor grants --role payments | psql "$OWNER_URL"

            The role may read every table, add to it and change it, but not change or remove what is kept forever: history, \
            audit, attempts. Run with database.migrate=false then.
            """
    )

    @Option(help: ArgumentHelp("The role, as it is called in the database.", valueName: "role"))
    var role: String

    @Option(help: ArgumentHelp("The schema of the tables.", valueName: "schema"))
    var schema = "public"

    func validate() throws {
        for name in [role, schema] {
            guard (1...63).contains(name.utf8.count), !name.unicodeScalars.contains(where: { $0.value < 0x20 }) else {
                throw ValidationError(
                    "the names of roles and schemas have 1 to 63 bytes, none of them a control character"
                )
            }
        }
    }

    func run() throws {
        StandardStream.output.print(GrantStatements(role: role, schema: schema).text)
    }
}

/// Which table needs which right. A test compares them with the schema.
struct GrantStatements {
    let role: String
    let schema: String

    /// Kept forever: written once.
    static let added = ["dead_letter_audit", "operation_attempts", "payment_history"]
    /// Changed, but never removed.
    static let changed = [
        "bank_effects", "bank_status", "operations", "payments", "possible_orphans", "processor_facts",
    ]
    /// Removed when it need not be kept any longer.
    static let removed = [
        "awaited_replies", "command_minutes", "dead_letter_replay_items", "dead_letter_replays", "dead_letter_returns",
        "dead_letters", "members", "new_operations", "open_operations", "outbox", "sweep_marks", "sweep_runs",
        "unmatched_authorizations",
        "waiting_commands",
    ]
    /// Written by whoever migrates.
    static let read = ["schema_migrations"]

    var text: String {
        [
            "GRANT USAGE ON SCHEMA \(Self.quoted(schema)) TO \(Self.quoted(role));",
            grant("SELECT", Self.read), grant("SELECT, INSERT", Self.added),
            grant("SELECT, INSERT, UPDATE", Self.changed), grant("SELECT, INSERT, UPDATE, DELETE", Self.removed),
        ].joined(separator: "\n")
    }

    private func grant(_ rights: String, _ tables: [String]) -> String {
        let names = tables.map { "\(Self.quoted(schema)).\($0)" }.joined(separator: ", ")
        return "GRANT \(rights) ON \(names) TO \(Self.quoted(role));"
    }

    private static func quoted(_ name: String) -> String { "\"\(name.replacing("\"", with: "\"\""))\"" }
}

extension PostgresPool {
    /// For a command of an operator: one connection, and a short wait where there is no server.
    static func forCommand(_ configuration: ProcessorConfiguration) -> PostgresPool {
        let pool = PostgresPool(configuration.database.named("processor-command"), size: 1, waitTimeout: .seconds(5))
        // Ends with the process, as the command does.
        Task { await pool.run() }
        return pool
    }
}

/// What `payments` asks.
func openQueries(_ configuration: ProcessorConfiguration) async throws -> any PaymentQueries {
    PostgresPaymentQueries(pool: .forCommand(configuration))
}

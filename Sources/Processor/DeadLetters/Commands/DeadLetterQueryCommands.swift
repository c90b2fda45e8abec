import ArgumentParser
import Core
import Postgres
import Program

struct ListDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists dead letters, newest first.",
        discussion: "Without a state what is left to do: `open` and `replaying`. `--state all` lists all of them."
    )

    @OptionGroup(title: "Filters")
    var filters: DeadLetterFilterOptions

    @Option(help: "How many at most, 1 to \(DeadLetterLimit.list); \(DeadLetterLimit.usual) without it.")
    var limit: Int?

    @Option(help: "Go on where an earlier page ended: its next_cursor.")
    var cursor: String?

    @Flag(help: "Print one line of JSON: what GET /dead-letters answers.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        _ = try query()
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(try await text(from: openDeadLetters(configuration)))
    }

    func text(from queries: any DeadLetterQueries) async throws -> String {
        let (filter, limit) = try query()
        let page = try await queries.page(filter, limit: limit)
        return json ? String(decoding: page.json.encoded, as: UTF8.self) : DeadLetterText.table(of: page)
    }

    private func query() throws -> (DeadLetterFilter, limit: Int) {
        try checkingOptions { () throws(InvalidField) in
            let limit = try DeadLetterLimit.checked(limit, atMost: DeadLetterLimit.list)
            return (try filters.input.page(after: cursor), limit ?? DeadLetterLimit.usual)
        }
    }
}

struct ShowDeadLetter: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows one dead letter: why it failed, its message, and all that was done with it."
    )

    @Argument(help: "The dead letter's id, a UUID.")
    var id: String

    @Flag(help: "Print one line of JSON: what GET /dead-letters/{id} answers.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard DeadLetterID(id) != nil else { throw ValidationError("the dead letter's id is not a UUID") }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(try await text(from: openDeadLetters(configuration)))
    }

    /// - Throws: `CommandFailure` with 1 where there is no such dead letter.
    func text(from queries: any DeadLetterQueries) async throws -> String {
        guard let id = DeadLetterID(id), let view = try await queries.deadLetter(id) else {
            throw CommandFailure(.differences, "there is no dead letter \(id)")
        }
        return json ? String(decoding: view.json.encoded, as: UTF8.self) : DeadLetterText.details(of: view)
    }
}

struct DeadLetterStats: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Counts the dead letters that are neither replayed nor discarded, by code."
    )

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(try await text(from: openDeadLetters(configuration)))
    }

    func text(from queries: any DeadLetterQueries) async throws -> String {
        let counts = try await queries.unfinishedDeadLetters()
        return json
            ? String(decoding: DeadLetterStatistics.json(counts).encoded, as: UTF8.self)
            : DeadLetterText.statistics(counts)
    }
}

/// What the questions ask.
func openDeadLetters(_ configuration: ProcessorConfiguration) -> any DeadLetterQueries {
    PostgresDeadLetterStore(pool: .forCommand(configuration))
}

struct DeadLetterAudit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit",
        abstract: "Lists who did what with dead letters, when and why, newest first.",
        discussion: """
            EXAMPLE
              processor dead-letters audit --limit 20
            """
    )

    @Option(help: "How many at most, 1 to \(AuditList.limits.upperBound).")
    var limit = AuditList.usual

    @Option(help: "Go on where an earlier page ended: its next_cursor.")
    var cursor: String?

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard AuditList.limits.contains(limit) else {
            throw ValidationError("--limit: must be an integer from 1 to \(AuditList.limits.upperBound)")
        }
        _ = try checkingOptions { () throws(InvalidField) in try AuditPlace.checked(cursor) }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let queries = PostgresConsoleQueries(pool: .forCommand(configuration))
        StandardStream.output.print(try await text(from: queries))
    }

    func text(from queries: any ConsoleQueries) async throws -> String {
        // One more tells whether there is another page.
        let lines = try await queries.audit(before: try AuditPlace.checked(cursor), limit: limit + 1)
        let list = AuditList(lines: Array(lines.prefix(limit)), isCut: lines.count > limit)
        return json ? String(decoding: list.json.encoded, as: UTF8.self) : list.table
    }
}

/// A page of the audit, as the command prints it.
struct AuditList: Sendable {
    let lines: [AuditLine]
    let isCut: Bool

    static let limits = 1...1_000
    static let usual = 20

    private var next: String? { isCut ? lines.last?.place.description : nil }

    var table: String {
        if lines.isEmpty { return "nothing was done so far" }
        let rows = lines.map { line in
            [
                line.entry.at.description, line.entry.actor, line.entry.action, line.entry.result, line.code,
                line.deadLetter.description, line.entry.reason ?? "",
            ]
        }
        let header = ["AT", "WHO", "ACTION", "RESULT", "CODE", "DEAD LETTER", "REASON"]
        let more = next.map { ["there are more: --cursor \($0)"] } ?? []
        return (TextTable.lines([header] + rows) + more).joined(separator: "\n")
    }

    var json: JSONValue {
        .object([
            "audit": .array(
                lines.map { line in
                    .object([
                        "action": .string(line.entry.action), "at": .string(line.entry.at.description),
                        "code": .string(line.code), "dead_letter_id": .string(line.deadLetter.description),
                        "reason": .optional(line.entry.reason), "result": .string(line.entry.result),
                        "who": .string(line.entry.actor),
                    ])
                }
            ),
            "next_cursor": .optional(next),
        ])
    }
}

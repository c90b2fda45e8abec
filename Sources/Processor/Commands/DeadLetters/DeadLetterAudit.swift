import ArgumentParser
import Core
import Postgres
import Program

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

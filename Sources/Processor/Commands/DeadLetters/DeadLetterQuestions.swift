import ArgumentParser
import Core
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

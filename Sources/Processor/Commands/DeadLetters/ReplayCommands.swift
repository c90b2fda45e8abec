import ArgumentParser
import Core
import Program

struct ReplayCommands: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replays",
        abstract: "Shows and stops replays of dead letters.",
        discussion: """
            A replay is `running` (or waits for a processor to take it up), `finished` (it has been at every dead letter of its \
            list), `stopped` by an operator, or `failed`, because too many of its dead letters did.
            """,
        subcommands: [ListReplays.self, ShowReplay.self, StopReplay.self],
        defaultSubcommand: ListReplays.self
    )
}

struct ListReplays: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "Lists replays, newest first."
    )

    @Option(help: "How many at most, 1 to \(ReplayList.limits.upperBound).")
    var limit = ReplayList.usual

    @Flag(help: "Print one line of JSON: what GET /dead-letters/replays answers.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard ReplayList.limits.contains(limit) else {
            throw ValidationError("--limit: must be an integer from 1 to \(ReplayList.limits.upperBound)")
        }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(try await text(from: openReplays(configuration)))
    }

    func text(from store: any ReplayStore) async throws -> String {
        let runs = try await store.replays(limit: limit)
        return json ? String(decoding: ReplayList.json(runs).encoded, as: UTF8.self) : ReplayText.table(of: runs)
    }
}

struct ShowReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show",
        abstract: "Shows how far one replay got, and what it could not replay."
    )

    @OptionGroup
    var replay: ReplayArgument

    @Flag(help: "Print one line of JSON: what GET /dead-letters/replays/{id} answers.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        StandardStream.output.print(try await text(from: openReplays(configuration)))
    }

    /// - Throws: `CommandFailure` with 1 where there is no such replay.
    func text(from store: any ReplayStore) async throws -> String {
        guard let id = ReplayID(replay.id), let view = try await store.replayView(id) else { throw replay.isMissing }
        return json ? String(decoding: view.json.encoded, as: UTF8.self) : ReplayText.details(of: view)
    }
}

struct StopReplay: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stop",
        abstract: "Stops one replay before its next dead letter; what it has replayed stays so.",
        discussion: "What is left of its list stays open. A new replay goes on with it."
    )

    @OptionGroup
    var replay: ReplayArgument

    @Flag(help: "Print one line of JSON: what POST /dead-letters/replays/{id}/stop answers.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let store = openReplays(configuration)
        StandardStream.output.print(try await text(from: store, by: ConfirmationTerminal.operatorName))
    }

    /// - Throws: `CommandFailure` with 1 where there is no such replay.
    func text(from store: any ReplayStore, by actor: String) async throws -> String {
        guard let id = ReplayID(replay.id), let run = try await store.stopReplay(id, by: actor) else {
            throw replay.isMissing
        }
        if json { return String(decoding: run.json.encoded, as: UTF8.self) }
        return run.state == .running
            ? "replay \(id) stops before its next dead letter" : "replay \(id) is \(run.state.rawValue)"
    }
}

struct ReplayArgument: ParsableArguments {
    @Argument(help: "The replay's id, a UUID.")
    var id: String

    func validate() throws {
        guard ReplayID(id) != nil else { throw ValidationError("the replay's id is not a UUID") }
    }

    var isMissing: CommandFailure { CommandFailure(.differences, "there is no replay \(id)") }
}

/// What the questions about replays ask.
private func openReplays(_ configuration: ProcessorConfiguration) -> any ReplayStore {
    PostgresDeadLetterStore(pool: .forCommand(configuration))
}

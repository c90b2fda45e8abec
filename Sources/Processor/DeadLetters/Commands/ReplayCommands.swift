import ArgumentParser
import Core
import Glibc
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

/// Has a replay done, and waits for it: by a running processor, or in this process where none takes it up.
struct ReplayWatch: Sendable {
    let service: DeadLetterService
    let time: any TimeSource

    /// How long a processor has for taking it up: it checks every second.
    private static let patience = Duration.seconds(3)
    /// Between two checks.
    private static let pause = Duration.milliseconds(250)

    /// - Parameter connect: makes ready for publishing from this process, and keeps it so until its task is cancelled.
    func run(
        _ ids: [DeadLetterID],
        _ order: ReplayOrder,
        connect: () async throws -> Task<Void, Never>
    ) async throws -> DeadLetterReport {
        let id = try await service.order(ids, order).id
        if try await isTakenUp(id) { return DeadLetterReport(try await ended(id, isRunHere: false)) }
        guard let session = try await ready(id, connect) else {
            return DeadLetterReport(try await ended(id, isRunHere: false))
        }
        let result: Result<ReplayView, any Error>
        do {
            result = .success(try await ended(id, isRunHere: true))
        } catch {
            result = .failure(error)
        }
        session.cancel()
        await session.value
        return DeadLetterReport(try result.get())
    }

    private func isTakenUp(_ id: ReplayID) async throws -> Bool {
        let limit = time.uptime() + Self.patience
        while time.uptime() < limit {
            guard let run = try await service.replays.replay(id) else { throw Self.gone(id) }
            if run.fencingToken > 0 || run.state != .running {
                StandardStream.error.print(
                    "replay \(id) runs in the background of a processor, also without this command; "
                        + "`processor dead-letters replays show \(id)` shows it, `replays stop \(id)` stops it"
                )
                return true
            }
            try await time.sleep(for: Self.pause)
        }
        return false
    }

    /// - Returns: `nil` where a processor has taken it up by now.
    private func ready(
        _ id: ReplayID,
        _ connect: () async throws -> Task<Void, Never>
    ) async throws -> Task<Void, Never>? {
        do {
            return try await connect()
        } catch {
            guard try await service.replays.withdrawReplay(id, reason: "no processor, and no broker: \(error)") else {
                return nil
            }
            throw error
        }
    }

    /// - Parameter isRunHere: takes it up in this process whenever nobody is at it: also where it was cut off, when its lease is over.
    private func ended(_ id: ReplayID, isRunHere: Bool) async throws -> ReplayView {
        while true {
            if isRunHere { _ = try await service.runHere(id) { DeadLetterOutcome.show(progress: $0) } }
            guard let view = try await service.replays.replayView(id) else { throw Self.gone(id) }
            if view.run.state != .running { return view }
            DeadLetterOutcome.show(progress: DeadLetterReport(view.run.counts))
            try await time.sleep(for: Self.pause)
        }
    }

    private static func gone(_ id: ReplayID) -> CommandFailure {
        CommandFailure(.differences, "there is no replay \(id) any more")
    }
}

/// Replays as an operator reads them.
enum ReplayText {
    static func table(of runs: [ReplayRun]) -> String {
        guard !runs.isEmpty else { return "no replays" }
        let header = [
            "REPLAY", "STATE", "SELECTED", "REPLAYED", "SKIPPED", "FAILED", "BY", "CREATED", "FINISHED",
        ]
        let rows = runs.map { run in
            [run.id.description, run.state.rawValue]
                + [run.counts.selected, run.counts.replayed, run.counts.skipped, run.counts.failed].map(String.init)
                + [run.order.requestedBy, run.createdAt.description, run.finishedAt?.description ?? "-"]
        }
        return TextTable.lines([header] + rows).joined(separator: "\n")
    }

    static func details(of view: ReplayView) -> String {
        let (run, counts) = (view.run, view.run.counts)
        let facts: [(String, String?)] = [
            ("replay", run.id.description),
            ("state", run.state.rawValue),
            ("reason", run.reason),
            ("stopped by", run.stoppedBy),
            ("requested by", run.order.requestedBy),
            ("filter", run.order.filter.map { String(decoding: $0.encoded, as: UTF8.self) } ?? "by id"),
            ("rate", run.order.pace.perSecond.map { "\($0) a second" }),
            ("stop at failures", "\(run.order.pace.failureShare)"),
            ("selected", "\(counts.selected)"), ("replayed", "\(counts.replayed)"), ("skipped", "\(counts.skipped)"),
            ("failed", "\(counts.failed)"),
            ("created", run.createdAt.description),
            ("finished", run.finishedAt?.description),
        ]
        let problems = view.problems.map { [$0.deadLetter.description, $0.result.rawValue, $0.reason] }
        return [
            TextTable.lines(facts.compactMap { name, value in value.map { [name, $0] } }).joined(separator: "\n"),
            TextTable.section("Not replayed", nil, problems),
        ].joined(separator: "\n\n")
    }
}

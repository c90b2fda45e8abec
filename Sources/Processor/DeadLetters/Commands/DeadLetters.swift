import ArgumentParser
import Core

struct DeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dead-letters",
        abstract: "Looks after messages that could not be dealt with.",
        discussion: """
            What nobody could be answered for, what needs manual review, and what the broker gave up, is kept in the \
            database, with card numbers reduced to BIN and last four. `stats` and `list` say what there is, `show` why. When \
            its cause is fixed, `replay` sends a dead letter to the command queues again, with its message id and its key: \
            what has taken effect already is answered from the store, so replaying twice does no harm. `discard` \
            takes a dead letter off the list for good. Every action is kept in an audit, which `show` shows.

            A dead letter is `open`, `replaying` (a replay has claimed it; if that is cut off, it is open again after a minute), \
            `replayed` or `discarded`. An authorize that came with a sealed card keeps it for dead-letters.sealed-card-retention, and can \
            be replayed as long; one whose card was plain cannot be: ask its sender to send it again.
            """,
        subcommands: [
            ListDeadLetters.self, ShowDeadLetter.self, ReplayDeadLetters.self, ReplayCommands.self,
            DiscardDeadLetters.self, DeadLetterStats.self, DeadLetterAudit.self,
        ]
    )
}

/// The filters, as options.
struct DeadLetterFilterOptions: ParsableArguments {
    @Option(help: "Only those with this code: \(DeadLetterCode.names).")
    var code: String?

    @Option(help: "Only those with exactly this message: with --code, those of one cause.")
    var message: String?

    @Option(help: "Only those of this operation: authorize, capture, void, refund.")
    var operation: String?

    @Option(help: "Only those of this merchant.")
    var merchant: String?

    @Option(help: "Only those of this payment, a UUID.")
    var payment: String?

    @Option(help: "Only those of the payments of this order.")
    var order: String?

    @Option(help: "Only those dead-lettered longer ago than this: 30s, 15m, 24h.")
    var olderThan: String?

    @Option(help: "Only those dead-lettered within this time: 30s, 15m, 24h.")
    var newerThan: String?

    @Option(help: "Only those in this state: open, replaying, replayed, discarded; or all.")
    var state: String?

    var input: DeadLetterFilterInput {
        DeadLetterFilterInput(
            code: code,
            message: message,
            operation: operation,
            merchant: merchant,
            payment: payment,
            order: order,
            olderThan: olderThan,
            newerThan: newerThan,
            state: state
        )
    }
}

/// Checks inputs, and tells what is wrong by the name of its option.
func checkingOptions<Value>(_ work: () throws(InvalidField) -> Value) throws -> Value {
    do throws(InvalidField) {
        return try work()
    } catch {
        throw ValidationError("--\(error.field): \(error.problem)")
    }
}

/// What an action is for, and the consent to it: the same for `replay` and `discard`.
struct DeadLetterSelectionOptions: ParsableArguments {
    @Argument(help: "Ids of dead letters; or give filters, or --all.")
    var ids: [String] = []

    @Flag(help: "All that the action can be done to.")
    var all = false

    @OptionGroup(title: "Filters")
    var filters: DeadLetterFilterOptions

    @Option(help: "How many at most, the oldest first.")
    var limit: Int?

    @Flag(help: "Write nothing; say what would be done, what would be skipped, and why.")
    var dryRun = false

    @Option(
        help:
            "How many you mean, for scripts. When it is wrong nothing is done, exit code 1. On a terminal it is asked for."
    )
    var confirm: Int?

    func validate() throws {
        _ = try selection()
    }

    func selection() throws -> DeadLetterSelection {
        let ways = [!ids.isEmpty, all, !filters.input.isEmpty].count { $0 }
        guard ways == 1 || (all && ids.isEmpty) else {
            throw ValidationError("name dead letters by their ids, or give filters, or --all")
        }
        guard ids.isEmpty else {
            guard limit == nil else { throw ValidationError("--limit goes with filters or --all, not with ids") }
            return .ids(
                try ids.map { text in
                    guard let id = DeadLetterID(text) else { throw ValidationError("\(text) is not a UUID") }
                    return id
                }
            )
        }
        return try checkingOptions { () throws(InvalidField) in
            .matching(
                try filters.input.filter(),
                limit: try DeadLetterLimit.checked(limit, atMost: DeadLetterLimit.action)
            )
        }
    }

    /// The filters as they were given; `nil` where ids were.
    var filterJSON: JSONValue? { ids.isEmpty ? filters.input.json(limit: limit) : nil }

    /// What is selected, once it is agreed to, or on a dry run.
    ///
    /// - Throws: `CommandFailure`: 64 where nobody could agree, 1 where the number is another. Nothing is done then.
    func agreed(
        _ action: DeadLetterService.Action,
        _ service: DeadLetterService,
        terminal: ConfirmationTerminal
    ) async throws -> (ids: [DeadLetterID], isDryRun: Bool) {
        let frozen = try await service.freeze(selection(), for: action)
        guard frozen.missing.isEmpty else {
            throw CommandFailure(.differences, frozen.missing.map { "there is no dead letter \($0)" })
        }
        if dryRun { return (frozen.ids, true) }
        let count = frozen.ids.count
        let matching = DeadLetterText.matching(count)
        guard confirm != nil || terminal.isThere else {
            throw CommandFailure(
                .usage,
                count == 0 ? "\(matching); nothing was done" : "\(matching): add --confirm \(count)"
            )
        }
        if confirm == nil, count == 0 { return ([], false) }
        let stated = confirm ?? terminal.askForCount("\(matching). Type their number to \(action.rawValue): ")
        guard stated == count else {
            throw CommandFailure(
                .differences,
                "\(matching), not \(stated.map(String.init) ?? "what was typed"); nothing was done"
            )
        }
        return (frozen.ids, false)
    }
}

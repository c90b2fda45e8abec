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

import AMQP
import ArgumentParser
import Core
import Glibc
import Program

struct ReplayDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Sends dead letters to the command queues again.",
        discussion: """
            The list is frozen before anything moves, oldest first; what cannot be replayed is skipped and named. Without a \
            state in the filters it is what is open or being replayed. A dead letter whose command has been completed meanwhile is \
            answered from the store. One that fails again becomes a new dead letter, linked to the old one.

            A running processor does it in the background: it goes on when this command is ended. `dead-letters replays` \
            shows and stops it. Without a processor it is done in this process.

            EXAMPLES
              processor dead-letters replay --code needs_attention --operation capture --dry-run
              processor dead-letters replay --code needs_attention --operation capture --confirm 12 --rate 5
              processor dead-letters replay 0198c1d2-3b4a-7c5d-8e6f-0a1b2c3d4e5f --confirm 1
            """
    )

    @OptionGroup
    var selected: DeadLetterSelectionOptions

    @Option(help: "How many a second at most.")
    var rate: Int?

    @Option(help: "Stop when this share of at least five has failed, 0 to 1.")
    var stopAtFailures = ReplayPace.usualFailureShare

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard rate.map(ReplayPace.rates.contains) ?? true else {
            throw ValidationError("--rate: must be an integer from 1 to 100000")
        }
        guard (0...1).contains(stopAtFailures) else {
            throw ValidationError("--stop-at-failures: must be a number from 0 to 1")
        }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let publishing = AMQPSession(configuration.broker.named("processor replay"))
        let service = DeadLetterService(
            store: PostgresDeadLetterStore(pool: .forCommand(configuration)),
            sink: BrokerSink(session: publishing, names: configuration.names),
            time: SystemTime(),
            random: SystemRandom(),
            fingerprinter: configuration.fingerprinter
        )
        let (ids, isDryRun) = try await selected.agreed(.replay, service, terminal: .standard)
        if isDryRun || ids.isEmpty {
            return DeadLetterOutcome(action: .replay, isDryRun: isDryRun, json: json)
                .print(try await service.rehearse(ids, .replay))
        }
        let order = ReplayOrder(
            requestedBy: ConfirmationTerminal.operatorName,
            filter: selected.filterJSON,
            pace: ReplayPace(perSecond: rate, failureShare: stopAtFailures)
        )
        let report = try await ReplayWatch(service: service, time: SystemTime()).run(ids, order) {
            // Says at once, and exactly, why there is no broker, should there be none.
            await (try AMQPConnection.connect(configuration.broker.named("processor replay"))).close()
            return Task { await publishing.run() }
        }
        let outcome = DeadLetterOutcome(action: .replay, isDryRun: false, json: json)
        outcome.print(report)
        try outcome.check(report)
    }
}

struct DiscardDeadLetters: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "discard",
        abstract: "Takes dead letters off the list for good.",
        discussion: """
            They stay in the database, with who discarded them, when and why. Only what is open can be discarded.

            EXAMPLE
              processor dead-letters discard --code invalid_command --older-than 24h --confirm 3 \\
                  --reason 'the sender has fixed its headers and sent all of them again'
            """
    )

    @OptionGroup
    var selected: DeadLetterSelectionOptions

    @Option(help: "Why, for the audit: 1 to 1000 characters.")
    var reason: String

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard DeadLetterOrder.isText(reason, length: 1...1_000) else {
            throw ValidationError("--reason: must be 1 to 1000 printable characters")
        }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let service = DeadLetterService(
            store: PostgresDeadLetterStore(pool: .forCommand(configuration)),
            sink: BrokerSink(session: AMQPSession(configuration.broker), names: configuration.names),
            time: SystemTime(),
            random: SystemRandom(),
            fingerprinter: configuration.fingerprinter
        )
        let (ids, isDryRun) = try await selected.agreed(.discard, service, terminal: .standard)
        let outcome = DeadLetterOutcome(action: .discard, isDryRun: isDryRun, json: json)
        guard !isDryRun else { return outcome.print(try await service.rehearse(ids, .discard)) }
        let report = await service.discard(ids, by: ConfirmationTerminal.operatorName, reason: reason)
        outcome.print(report)
        try outcome.check(report)
    }
}

/// What an operator is told of an action, and the exit code that goes with it.
struct DeadLetterOutcome {
    let action: DeadLetterService.Action
    let isDryRun: Bool
    let json: Bool

    func print(_ report: DeadLetterReport) {
        Self.endProgress(report)
        let skips = isDryRun ? report.skips.map { "\($0.id): \($0.reason)" } : report.problems
        for problem in skips + report.warnings { StandardStream.error.print("processor: \(problem)") }
        StandardStream.output.print(
            json
                ? String(decoding: report.json(action, isDryRun: isDryRun).encoded, as: UTF8.self)
                : text(of: report)
        )
    }

    func text(of report: DeadLetterReport) -> String {
        let deadLetters = report.selected == 1 ? "dead letter" : "dead letters"
        if isDryRun {
            let skipped = report.skipped == 0 ? "" : ", \(report.skipped) would be skipped"
            return
                "\(report.done) of \(report.selected) \(deadLetters) would be \(participle)\(skipped); nothing was written"
        }
        var text = "\(participle) \(report.done) of \(report.selected) \(deadLetters)"
        if report.skipped > 0 { text += ", skipped \(report.skipped)" }
        if report.failed > 0 { text += ", failed \(report.failed)" }
        if report.stillOpen > 0 {
            text += "; \(report.stillOpen) of their operations still open, which `processor payments resolve` ends"
        }
        if report.isCutShort { text += "; stopped before the end" }
        return text
    }

    /// - Throws: exit code 1 where not all that was asked for is so.
    func check(_ report: DeadLetterReport) throws {
        guard report.isClean else { throw ExitCode(ExitStatus.differences.rawValue) }
    }

    private var participle: String {
        switch action {
        case .replay: "replayed"
        case .discard: "discarded"
        }
    }

    // MARK: Progress on a terminal

    /// A line that is written over.
    static func show(progress report: DeadLetterReport) {
        let count = report.done + report.failed + report.skipped
        guard isatty(2) == 1 else { return }
        write("\r\(count) of \(report.selected)")
    }

    private static func endProgress(_ report: DeadLetterReport) {
        if isatty(2) == 1 { write("\r\u{1b}[K") }
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

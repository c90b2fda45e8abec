import ArgumentParser
import ConfigurationText
import Core

struct BatchCommand: PublishingCommand {
    static let configuration = CommandConfiguration(
        commandName: "batch",
        abstract: "Send a file of commands, and show how they went.",
        discussion: """
            A line of the file is one command as a JSON object:

              operation        authorize, capture, void or refund
              payment_id       the payment; an authorize may go without
              idempotency_key  may be left out: a new one then
              merchant_id      may be left out: default then
              body             what the operation needs:
                authorize        order_id, customer_id, amount, currency (or none),
                                 card {number, cvv, expiry_month, expiry_year}
                capture, refund  {} or {"amount":5000}
                void             {}

            The whole file is checked first; when a line is bad, nothing is sent. A file whose \
            commands have keys can be sent again: what took effect gets the same answer as before, \
            and the rest is done.

            EXAMPLES:
              publisher batch commands.ndjson
              generate-commands | publisher batch --json - > replies.ndjson

            EXIT CODES: the largest of 0 all succeeded, 2 declined, 3 rejected, 4 unknown or no \
            reply; or 64 usage, 69 broker, 78 configuration, 130 interrupted.
            """
    )

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @Option(help: ArgumentHelp("How long to wait while no reply comes: 250ms, 15s, 2m, 1h.", valueName: "duration"))
    var timeout = "60s"

    @Option(help: ArgumentHelp("Commands that may wait for a reply at the same time.", valueName: "count"))
    var window = 2_000

    @Flag(help: "Print the replies as the JSON they came as, one a line, then the summary.")
    var json = false

    @OptionGroup
    var broker: BrokerOptions

    private static let windows = 1...50_000

    func publish() async throws -> PublisherStatus {
        let timeLimit = try DurationText.usable(timeout, option: "--timeout")
        guard Self.windows.contains(window) else {
            throw Failure(.usage, "--window must be from \(Self.windows.lowerBound) to \(Self.windows.upperBound)")
        }
        let entries = try BatchFile.read(file)
        let configuration = try PublisherConfiguration.load(broker)
        guard !entries.isEmpty else {
            let nothing = BatchLedger(count: 0, now: .now)
            report(BatchSummary(nothing, elapsed: .zero), entries, nothing)
            return .succeeded
        }
        let client = try await BrokerClient.connect(configuration)
        let replies = try await client.openReplyQueue(prefetch: UInt16(window))
        let options = BatchRun.Options(
            window: window,
            timeout: timeLimit,
            json: json,
            showsProgress: Terminal.isTerminal(2)
        )
        let run = BatchRun(client: client, replies: replies, entries: entries, options: options)
        let end = await run.run()
        let summary = await run.summary
        let ledger = await run.ledger
        await client.close()
        report(summary, entries, ledger)
        return explain(end, summary, openLines: ledger.firstOpen(5).map { entries[$0].line })
    }

    private func report(_ summary: BatchSummary, _ entries: [BatchEntry], _ ledger: BatchLedger) {
        guard !json else { return StandardOutput.write(summary.json + "\n") }
        let text = BatchSummaryText(
            summary: summary,
            codes: ledger.codes,
            entries: entries,
            palette: Palette(isColoured: Terminal.outputWantsColour)
        )
        StandardOutput.write(text.text)
    }

    private func explain(_ end: BatchRun.End, _ summary: BatchSummary, openLines: [Int]) -> PublisherStatus {
        if !openLines.isEmpty {
            let lines = openLines.map(String.init).joined(separator: ", ")
            let rest = summary.unknown + summary.noReply > openLines.count ? ", …" : ""
            StandardError.line("no final reply to the commands of lines \(lines)\(rest)")
        }
        switch end {
        case .completed: return summary.status
        case .silence:
            StandardError.line("gave up: no reply came for \(timeout)")
            return max(summary.status, .unknown)
        case .interrupted:
            StandardError.line("interrupted")
            return .interrupted
        case .failed(let failure): return failure.report()
        }
    }
}

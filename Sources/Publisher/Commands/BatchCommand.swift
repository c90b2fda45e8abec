import ArgumentParser
import ConfigurationText
import Core
import PaymentCommands
import Program

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
                                 card {number, cvv, expiry_month, expiry_year},
                                 or sealed_card
                capture, refund  {} or {"amount":5000}
                void             {}

            The whole file is checked first; when a line is bad, nothing is sent. A file can be sent \
            again: what took effect gets the same answer as before, and the rest is done. For lines \
            without a key one is made, and written to the file of keys before anything is sent; \
            send again with that file beside the batch. A connection that is lost is made again, and what \
            has no final reply is sent again under the same keys. With --card-key, or PUBLISHER_CARD_KEY, \
            cards travel sealed, and nobody but the processor can read them.

            EXAMPLES:
              publisher batch commands.ndjson
              generate-commands | publisher batch --json - > replies.ndjson

            EXIT CODES: the largest of 0 all succeeded, 2 declined, 3 rejected, 4 unknown or no \
            reply; or 64 usage, 69 broker (nothing can have been sent), 74 standard output cannot be \
            written, 78 configuration, 130 interrupted.
            """
    )

    @Argument(help: ArgumentHelp("The file; - is standard input.", valueName: "file"))
    var file: String

    @Option(
        help: ArgumentHelp(
            "Where the keys made for lines without one are kept; - writes them to standard error. (default: FILE.keys)",
            valueName: "path"
        )
    )
    var keys: String?

    @Option(help: ArgumentHelp("How long to wait while no reply comes: 250ms, 15s, 2m, 1h.", valueName: "duration"))
    var timeout = "60s"

    @Option(help: ArgumentHelp("Commands that may wait for a reply at the same time.", valueName: "count"))
    var window = 2_000

    @Option(
        help: ArgumentHelp(
            "The processor's public key, to seal cards for: a file, or an address such as https://…/.well-known/jwks.json.",
            valueName: "file|url"
        )
    )
    var cardKey: String?

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
        let configuration = try PublisherConfiguration.load(broker, cardKey: cardKey)
        guard !entries.isEmpty else {
            let nothing = BatchTracker(count: 0, now: .now)
            report(BatchSummary(nothing, elapsed: .zero), entries, nothing)
            return .succeeded
        }
        let isSealing = entries.contains { $0.command.hasPlainCard }
        let key = isSealing ? try await configuration.cardSealingKey() : nil
        let first = try await BatchConnection.open(configuration, window: window)
        let keyed: BatchKeys.Completed
        do throws(Failure) {
            keyed = try BatchKeys.complete(entries, of: file, in: BatchKeys.Place(option: keys, file: file))
        } catch {
            await first.client.close()
            throw error
        }
        // Before it is sent: who interrupts this must still know what to ask for.
        if keyed.made > 0, let path = keyed.file?.path {
            StandardError.line(
                "\(keyed.made) keys were made and written to \(path); a second run with it repeats nothing"
            )
        }
        let options = BatchRun.Options(
            window: window,
            timeout: timeLimit,
            json: json,
            showsProgress: Terminal.isTerminal(2)
        )
        let sealed = try keyed.entries.map { entry throws(Failure) in
            guard let key, entry.command.hasPlainCard else { return entry }
            do throws(PaymentClientError) {
                return BatchEntry(line: entry.line, command: try entry.command.sealed(for: key))
            } catch {
                throw Failure(cardKey: error)
            }
        }
        let run = BatchRun(first: first, entries: sealed, options: options) { [window] () throws(Failure) in
            try await BatchConnection.open(configuration, window: window)
        }
        let end = await run.run()
        let tracker = await run.tracker
        let summary = await run.summary
        report(summary, keyed.entries, tracker)
        name(tracker.unanswered.map { (keyed.entries[$0.index], $0.isSent) })
        // Locked until here, whatever the compiler thinks of it.
        return withExtendedLifetime(keyed.file) { explain(end, summary) }
    }

    private func report(_ summary: BatchSummary, _ entries: [BatchEntry], _ tracker: BatchTracker) {
        guard !json else { return StandardStream.output.write(summary.json + "\n") }
        let text = BatchSummaryText(
            summary: summary,
            codes: tracker.codes,
            entries: entries,
            palette: Palette(isColoured: Terminal.outputWantsColour)
        )
        StandardStream.output.write(text.text)
    }

    /// The commands of which no final reply has come.
    private func name(_ unanswered: [(entry: BatchEntry, isSent: Bool)]) {
        var text = ""
        for (entry, isSent) in unanswered {
            let command = entry.command
            text += "\(file):\(entry.line): \(isSent ? "no final reply" : "not sent"): \(command.kind), "
            text += "payment \(PlainText.of(command.paymentID)), key \(PlainText.of(command.idempotencyKey))\n"
        }
        StandardError.write(text)
    }

    private func explain(_ end: BatchRun.End, _ summary: BatchSummary) -> PublisherStatus {
        switch end {
        case .completed: return summary.status
        case .silence(let problem):
            for line in problem?.lines ?? [] { StandardError.line(line) }
            StandardError.line("gave up: no reply came for \(timeout)")
            return summary.sent > 0 ? .unknown : problem?.status ?? .unavailable
        case .interrupted:
            StandardError.line("interrupted")
            return .interrupted
        case .failed(let failure):
            let status = failure.report()
            return summary.sent > 0 ? .unknown : status
        }
    }
}

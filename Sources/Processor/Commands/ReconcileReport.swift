import ArgumentParser
import ConfigurationText
import Core
import Glibc
import HTTPClient

struct ReconcileReport: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reconcile-report",
        abstract: "Compares our payments with what the bank says of them.",
        discussion: """
            Asks the bank about each authorization, capture and refund that we hold an id of, and changes nothing. The bank has no \
            question for a void, and none for a hold that no payment knows of: whether there may be one is distinguished from what is on \
            record. As many payments are asked about at a time as `bank.concurrency` allows. Unknown is a payment with an operation under way, or one about which the bank gave no answer.

            Exit code 1 on a difference, on a suspected second hold, and, unless it is allowed, on what is unknown; 69 where \
            the bank cannot be reached at all.
            """
    )

    @Option(help: "Only payments opened since: an RFC 3339 instant, or a duration such as 24h.")
    var since: String?

    @Flag(help: "What is unknown alone is no reason for exit code 1.")
    var allowUnknown = false

    @Flag(help: "Print one line of JSON with every payment; otherwise only what does not agree is listed.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        if let since, Self.instant(since, now: SystemTime().now()) == nil {
            throw ValidationError("--since must be an RFC 3339 instant or a duration such as 24h")
        }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let client = try HTTPClient(
            configuration: .bank(configuration.bankTLS, maxConnections: configuration.bankConcurrency)
        )
        let report = LedgerReport(
            ledger: PostgresPaymentQueries(pool: .forCommand(configuration)),
            bank: HTTPBank(client: client, url: configuration.bank.base),
            time: SystemTime(),
            timeout: configuration.limits.bankTimeout,
            concurrency: configuration.bankConcurrency
        )
        let output = LedgerOutput(json: json, showsProgress: isatty(STDERR_FILENO) == 1)
        let since = since.flatMap { Self.instant($0, now: SystemTime().now()) }
        let totals = try await report.run(since: since) { output.show($0, $1) }
        output.end(totals)
        guard totals.isClean(allowsUnknown: allowUnknown) else { throw ExitCode(ExitStatus.differences.rawValue) }
    }

    private static func instant(_ text: String, now: Timestamp) -> Timestamp? {
        Timestamp(text) ?? DurationText.duration(of: text).map { now.advanced(by: .zero - $0) }
    }
}

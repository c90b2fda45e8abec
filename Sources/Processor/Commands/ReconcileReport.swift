import ArgumentParser
import ConfigurationText
import Core
import Glibc
import HTTPClient
import Program
import Synchronization

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

/// Prints the comparison of ledgers while it is made: it may be long, and is never held in memory.
final class LedgerOutput: Sendable {
    private let json: Bool
    private let showsProgress: Bool
    private let hasBegun = Mutex(false)

    init(json: Bool, showsProgress: Bool) {
        self.json = json
        self.showsProgress = showsProgress
    }

    func show(_ comparison: LedgerComparison, _ totals: LedgerReport.Totals) {
        let isFirst = begin()
        if json {
            let text = String(decoding: comparison.json.encoded, as: UTF8.self)
            StandardStream.output.write(isFirst ? text : "," + text)
        } else if let line = Self.line(comparison) {
            StandardStream.output.print(line)
        }
        if showsProgress, totals.count.isMultiple(of: 100) {
            StandardStream.error.write("\r\(totals.count) payments compared, \(totals.differ) differ")
        }
    }

    func end(_ totals: LedgerReport.Totals) {
        _ = begin()
        if showsProgress, totals.count >= 100 { StandardStream.error.print("") }
        StandardStream.output.print(
            json
                ? "],\"totals\":\(String(decoding: totals.json.encoded, as: UTF8.self))}"
                : Self.summary(totals)
        )
    }

    /// Only when there is something to show: of a bank that cannot be reached there is nothing on standard output.
    ///
    /// - Returns: whether this was the first time.
    private func begin() -> Bool {
        let isFirst = hasBegun.withLock { hasBegun in
            defer { hasBegun = true }
            return !hasBegun
        }
        if isFirst, json { StandardStream.output.write(#"{"payments":["#) }
        return isFirst
    }

    static func summary(_ totals: LedgerReport.Totals) -> String {
        let orphans = totals.possibleOrphans == 1 ? "1 possible orphan" : "\(totals.possibleOrphans) possible orphans"
        return "\(totals.agree) agree, \(totals.differ) differ, \(totals.unknown) cannot be said, \(orphans)"
    }

    /// `nil` for one that agrees and is not suspected of a second hold.
    static func line(_ comparison: LedgerComparison) -> String? {
        let payment = comparison.payment
        let verdict: String
        switch comparison.agrees {
        case true?:
            guard comparison.orphan == .suspected else { return nil }
            verdict = "agrees"
        case false?:
            verdict = "differs: \(comparison.differences.joined(separator: ", "))"
        case nil:
            let why = payment.status.isInProgress ? "an operation is under way" : "the bank gave no answer"
            verdict = "cannot be said: \(why)"
        }
        let orphan = comparison.orphan.map { "  possible orphan: \($0.rawValue)" } ?? ""
        return "\(payment.id)  \(payment.status.rawValue)  \(verdict)\(orphan)"
    }
}

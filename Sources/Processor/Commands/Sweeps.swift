import ArgumentParser
import Core
import Logging
import Postgres
import Program

struct Sweeps: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sweeps",
        abstract: "Runs the scheduled work at once, or shows what its last runs found.",
        subcommands: [RunSweep.self, SweepStatus.self]
    )
}

extension SweepJob: ExpressibleByArgument {}

extension SweepReport {
    /// What `processor sweeps run --json` prints (docs/contract.md#command-line).
    func json(of job: SweepJob, isDryRun: Bool) -> JSONValue {
        .object([
            "dry_run": .bool(isDryRun), "examined": .integer(examined), "job": .string(job.rawValue),
            "needs_attention": .integer(needsAttention), "resolved": .integer(resolved), "waiting": .integer(waiting),
        ])
    }
}

struct RunSweep: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run",
        abstract: "Runs one sweep in this process, and waits for its end.",
        discussion: """
            reconcile finishes operations that nobody is working on, expire marks authorizations that the bank's clock says have \
            expired, retention removes what need not be kept. It is safe at any time, beside running processors too; these send \
            the replies and events that it writes.
            """
    )

    @Argument(help: "reconcile, expire or retention.")
    var job: SweepJob

    @Flag(help: "Say what is due, and do nothing about it.")
    var dryRun = false

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        Telemetry.bootstrapLogging(level: max(configuration.logLevel, .warning))
        let logger = Logger(label: "processor")
        let pools = DatabasePools(configuration.database) { _ in }
        // Ends with the process, as the command does.
        Task { await pools.run() }
        let connections = try BankConnections(
            concurrency: min(configuration.sweepBatch, Self.connectionLimit),
            tls: configuration.bankTLS,
            limits: configuration.limits,
            database: configuration.database,
            logger: logger
        )
        let observer = ProcessorTelemetry(
            logger: logger,
            metrics: ProcessorMetrics(registry: PrometheusRegistry()),
            readiness: Readiness(),
            time: SystemTime()
        )
        let store = PostgresPaymentStore(pools, fingerprinter: configuration.fingerprinter)
        let bank = HTTPBank(client: connections.client, url: configuration.bank.base)
        let context = ProcessorContext(
            store: store,
            bank: bank,
            breaker: CircuitBreaker(time: SystemTime(), random: SystemRandom(), observer: observer),
            time: SystemTime(),
            random: SystemRandom(),
            observer: observer,
            limits: configuration.limits
        )
        let parts = SweepParts(configuration, context, store: store, bank: bank)
        let control = SweepControl(parts: parts, store: store, periods: configuration.sweepPeriods)
        let report: SweepReport
        do {
            report = try await control.report(job, isDryRun: dryRun)
        } catch is SweepControl.NoBankClock {
            throw CommandFailure(.differences, SweepControl.NoBankClock.explanation)
        }
        await connections.close()
        StandardStream.output.print(
            json
                ? String(decoding: report.json(of: job, isDryRun: dryRun).encoded, as: UTF8.self)
                : SweepText.summary(of: report, job, isDryRun: dryRun)
        )
    }

    private static let connectionLimit = 256
}

struct SweepStatus: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows the last runs of the sweeps, newest first."
    )

    @Option(help: "How many at most, 1 to 1000.")
    var limit = 20

    @Flag(help: "Print one line of JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard (1...1_000).contains(limit) else { throw ValidationError("--limit must be from 1 to 1000") }
    }

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        let pools = DatabasePools(configuration.database) { _ in }
        // Ends with the process, as the command does.
        Task { await pools.run() }
        let store = PostgresPaymentStore(pools, fingerprinter: configuration.fingerprinter)
        StandardStream.output.print(try await text(from: store))
    }

    func text(from store: any SweepStore) async throws -> String {
        let runs = try await store.runs(limit: limit)
        guard json else { return SweepText.table(of: runs) }
        return String(decoding: JSONValue.object(["runs": .array(runs.map(\.json))]).encoded, as: UTF8.self)
    }
}

extension SweepRun {
    fileprivate var json: JSONValue {
        .object([
            "examined": .integer(report.examined), "finished_at": .optional(finishedAt?.description),
            "job": .string(job.rawValue), "needs_attention": .integer(report.needsAttention),
            "resolved": .integer(report.resolved), "slot": .optional(slot?.description),
            "started_at": .string(startedAt.description),
        ])
    }
}

/// Runs of sweeps for people to read.
enum SweepText {
    static func summary(of report: SweepReport, _ job: SweepJob, isDryRun: Bool) -> String {
        if isDryRun {
            let attention = report.needsAttention > 0 ? ", \(report.needsAttention) of them for manual review" : ""
            return "\(job.rawValue): \(report.examined) due\(attention); nothing was done"
        }
        return "\(job.rawValue): \(report.examined) examined, \(report.resolved) resolved, "
            + "\(report.needsAttention) need attention, \(report.waiting) waiting"
    }

    static func table(of runs: [SweepRun]) -> String {
        guard !runs.isEmpty else { return "no sweep has run yet" }
        let header = ["JOB", "SLOT", "STARTED", "FINISHED", "EXAMINED", "RESOLVED", "ATTENTION", "WAITING"]
        let rows = runs.map { run in
            [
                run.job.rawValue, run.slot?.description ?? "by hand", run.startedAt.description,
                run.finishedAt?.description ?? "-", "\(run.report.examined)", "\(run.report.resolved)",
                "\(run.report.needsAttention)", "\(run.report.waiting)",
            ]
        }
        return TextTable.lines([header] + rows).joined(separator: "\n")
    }
}

import ArgumentParser
import Core
import Logging
import Program

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
            concurrency: min(configuration.sweeps.batch, Self.connectionLimit),
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
        let parts = SweepParts(configuration.sweeps, context, store: store, bank: bank)
        let control = SweepControl(parts: parts, store: store, periods: configuration.sweeps.periods)
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

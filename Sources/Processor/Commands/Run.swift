import ArgumentParser
import ConfigurationReading
import Core
import CoreMetrics
import Glibc
import Logging
import NIOCore
import Program
import ServiceLifecycle

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Processes commands until SIGTERM.",
        discussion: """
            Migrates the database and declares the topology by itself, waits for a broker or database that is not there yet \
            (/readyz says 503 meanwhile), and reconnects. A first SIGTERM takes no more commands, finishes what is in flight \
            within shutdown.grace and exits 0; a second exits 1 at once.
            """
    )

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let configuration = try ProcessorConfiguration(options: options)
        // The admin server is all that uses them.
        NIOSingletons.groupLoopCountSuggestion = 1
        Telemetry.bootstrapLogging(
            level: configuration.logLevel,
            overflow: configuration.logOverflow,
            format: configuration.logFormat
        )
        let registry = PrometheusRegistry()
        Telemetry.bootstrapMetrics(registry)
        let logger = Logger(label: "processor")
        logger.notice("starting", metadata: configuration.startMetadata)
        if configuration.merchants == nil {
            logger.notice("all upstream services are one trust zone: merchants.file is not set")
        }
        for warning in configuration.warnings { logger.warning("\(warning)") }

        let readiness = Readiness()
        let trouble = BankFailureWords(configuration.bank)
        let metrics = ProcessorMetrics(registry: registry)
        let outages = OutageLog()
        LogWriter.standardError.observeDrops { metrics.logLinesDropped.increment() }
        let processor = try ProcessorService(
            configuration: configuration,
            observer: ProcessorTelemetry(
                logger: logger,
                metrics: metrics,
                readiness: readiness,
                time: SystemTime(),
                trouble: trouble,
                links: outages
            ),
            metrics: metrics,
            readiness: readiness,
            logger: logger,
            trouble: trouble,
            outages: outages
        )
        let admin = AdminServer(
            configuration: configuration.admin,
            queries: processor.queries,
            deadLetters: processor.deadLetters,
            resolver: processor.resolver,
            readiness: readiness,
            metrics: registry,
            cardKeys: configuration.cards.files.keyring,
            console: try Console(
                processor.console,
                access: AdminAccess(configuration.admin),
                isSecure: configuration.admin.tls != nil
            ),
            logger: logger
        ) { port in
            logger.info("serving", metadata: ["host": "\(configuration.admin.host)", "port": "\(port)"])
        }
        // Its debug lines describe every service whole.
        var lifecycleLogger = logger
        lifecycleLogger.logLevel = max(configuration.logLevel, .info)
        // Shut down from the last to the first: the admin server answers until the processor has drained.
        var group = ServiceGroupConfiguration(services: [admin, processor], logger: lifecycleLogger)
        group.maximumGracefulShutdownDuration = configuration.shutdownGrace
        try await SignalWatch(logger: logger).run(ServiceGroup(configuration: group))
        logger.info("stopped")
    }
}

extension ProcessorConfiguration {
    /// What it is that starts: its version, and each setting that is not the default, secrets hidden.
    fileprivate var startMetadata: Logger.Metadata {
        var metadata: Logger.Metadata = ["version": "\(ProductVersion.current)"]
        for setting in effective where setting.source != .default {
            metadata[setting.name] = "\(setting.shown ?? "")"
        }
        return metadata
    }
}

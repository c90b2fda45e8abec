import AMQP
import Core
import Logging
import Migrations
import Postgres
import Program
import ServiceLifecycle
import ThreadExecutor

/// The processor itself: everything wired together, from the queues to the bank.
struct ProcessorService: Service {
    private let configuration: ProcessorConfiguration
    private let readiness: Readiness
    private let logger: Logger
    private let pools: DatabasePools
    private let bankConnections: BankConnections
    /// Where commands are read, decided and sent to the bank.
    private let loop: EventLoop
    /// On connections of their own: one that the broker has blocked must not keep the acknowledgements waiting.
    private let consuming: AMQPSession
    private let publishing: AMQPSession
    private let breaker: CircuitBreaker
    private let deadLettering: AMQPSession
    private let context: ProcessorContext
    private let watch: BankWatch
    private let signal: WakeUpSignal
    private let consumer: CommandConsumer
    private let membership: Membership
    private let ingester: DeadLetterIngester
    private let sink: BrokerSink
    private let ticking: AMQPSession
    private let keeping: AMQPSession
    private let topologyWatch: TopologyWatch
    private let policies: PolicyWatch?
    private let sweeps: SweepSubscription
    private let relay: OutboxRelay
    private let gauges: GaugeSampler
    private let minutes: CommandMinuteWriter
    private let trying: AMQPSession
    private let heartbeat: BrokerHeartbeat

    let queries: any PaymentQueries
    let deadLetters: DeadLetterService
    let resolver: OperationResolver
    let console: ConsoleParts
    private let spell: ReadOnlySpell

    /// - Throws: `HTTPError`, `ThreadExecutorError` where the process is out of threads or descriptors.
    init(
        configuration: ProcessorConfiguration,
        observer: any ProcessorObserver,
        metrics: ProcessorMetrics,
        readiness: Readiness,
        logger: Logger,
        trouble: BankFailureWords,
        outages: OutageLog = OutageLog()
    ) throws {
        self.configuration = configuration
        self.readiness = readiness
        self.logger = logger
        let links = LinkObserver(readiness: readiness, logger: logger, outages: outages)
        spell = links.spell
        pools = DatabasePools(configuration.database) { links.databaseChanged($0) }
        queries = PostgresPaymentQueries(pool: pools.queries)
        loop = try EventLoop(name: "commands")
        consuming = AMQPSession(configuration.broker.named("processor consumer"), on: loop) {
            links.brokerChanged($0)
        }
        publishing = AMQPSession(configuration.broker.named("processor publisher")) { links.publisherChanged($0) }
        deadLettering = AMQPSession(configuration.broker.named("processor dead letters")) {
            links.deadLettersChanged($0)
        }
        keeping = AMQPSession(configuration.broker.named("processor topology"))
        topologyWatch = TopologyWatch(
            BrokerTroubles(
                names: configuration.names,
                partitions: configuration.partitions,
                readiness: readiness,
                logger: logger
            ),
            slots: configuration.partitions * Int(configuration.prefetch)
        )
        policies = try PolicyWatch(configuration, topologyWatch, logger)
        sink = BrokerSink(session: publishing, names: configuration.names, watch: topologyWatch)
        let deadLetterStore = PostgresDeadLetterStore(pool: pools.queries)
        deadLetters = DeadLetterService(
            store: deadLetterStore,
            sink: sink,
            time: SystemTime(),
            random: SystemRandom(),
            fingerprinter: configuration.fingerprinter
        )
        bankConnections = try BankConnections(
            concurrency: configuration.bankConcurrency,
            on: loop,
            tls: configuration.bankTLS,
            limits: configuration.limits,
            database: configuration.database,
            logger: logger
        )
        ticking = AMQPSession(configuration.broker.named("processor sweeps"))
        let store = PostgresPaymentStore(
            pools,
            fingerprinter: configuration.fingerprinter,
            on: loop,
            report: { [readiness] in readiness.database($0) }
        )
        let bank = HTTPBank(
            client: bankConnections.client,
            url: configuration.bank.base,
            trouble: trouble,
            onAnswer: { metrics.recordBankCall($0, $1) }
        )
        breaker = CircuitBreaker(time: SystemTime(), random: SystemRandom(), observer: observer)
        let context = ProcessorContext(
            store: store,
            bank: bank,
            breaker: breaker,
            time: SystemTime(),
            random: SystemRandom(),
            observer: observer,
            limits: configuration.limits,
            limiter: BankLimiter(concurrency: configuration.bankConcurrency),
            cards: configuration.cards.intake,
            merchants: configuration.merchants
        )
        self.context = context
        ingester = DeadLetterIngester(
            context,
            store: deadLetterStore,
            sink: sink,
            fingerprinter: configuration.fingerprinter
        )
        watch = BankWatch(context, bank: bank)
        let parts = SweepParts(configuration, context, store: store, bank: bank)
        signal = parts.signal
        sweeps = SweepSubscription(
            session: ticking,
            names: configuration.names,
            consumer: SweepConsumer(runner: parts.runner, observer: observer),
            ticks: TickPublisher(
                sink: sink,
                periods: configuration.sweepPeriods,
                time: SystemTime(),
                random: SystemRandom(),
                observer: observer
            ),
            steady: SteadyConsumer(watch: topologyWatch),
            onFailure: { logger.warning("sweeps are not subscribed, trying again", metadata: ["error": "\($0)"]) }
        )
        relay = OutboxRelay(
            outbox: store,
            sink: sink,
            signal: parts.signal,
            time: SystemTime(),
            random: SystemRandom(),
            observer: observer
        )
        gauges = GaugeSampler(
            store: store,
            ages: { () async throws(StoreError) in try await store.ages() },
            deadLetters: deadLetterStore,
            depths: QueueDepths(
                session: ticking,
                names: configuration.names,
                partitions: configuration.partitions
            ),
            readiness: readiness,
            metrics: metrics,
            time: SystemTime()
        )
        trying = AMQPSession(configuration.broker.named("processor heartbeat")) { links.heartbeatChanged($0) }
        heartbeat = BrokerHeartbeat(
            session: trying,
            names: configuration.names,
            readiness: readiness,
            time: SystemTime()
        )
        consumer = CommandConsumer(context, sink: sink, fingerprinter: configuration.fingerprinter)
        let identity = ProcessorIdentity.make()
        minutes = CommandMinuteWriter(
            minutes: PostgresCommandMinutes(pool: pools.queries),
            metrics: metrics,
            readiness: readiness,
            identity: identity,
            time: SystemTime()
        )
        membership = Membership(
            id: identity,
            version: ProductVersion.current,
            partitions: configuration.partitions,
            store: PostgresMemberStore(pool: pools.watch),
            time: SystemTime(),
            observer: observer
        )
        resolver = OperationResolver(
            store: store,
            queries: queries,
            deadLetters: deadLetterStore,
            bank: bank,
            signal: parts.signal,
            time: SystemTime(),
            random: SystemRandom(),
            observer: observer,
            limits: configuration.limits
        )
        console = ConsoleParts(
            queries: queries,
            deadLetters: deadLetters,
            resolver: resolver,
            reading: PostgresConsoleQueries(pool: pools.queries),
            members: PostgresMemberStore(pool: pools.queries),
            minutes: PostgresCommandMinutes(pool: pools.queries),
            bank: bank,
            bankStatus: store,
            sweeps: SweepControl(parts: parts, store: store, periods: configuration.sweepPeriods),
            readiness: readiness,
            metrics: metrics,
            names: configuration.names,
            partitions: configuration.partitions,
            identity: identity,
            bankTimeout: configuration.limits.bankTimeout
        )
    }

    /// Between two attempts at something that may come to life by itself.
    private static let pause = Duration.seconds(1)

    /// Works until a graceful shutdown has drained what was delivered, or the task is cancelled.
    ///
    /// - Throws: what waiting cannot fix: `MigrationError`, `TopologyError`, `ConfigurationError`.
    func run() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await pools.run() }
            group.addTask {
                await DatabaseWatch(pool: pools.watch, readiness: readiness, logger: logger, spell: spell).run()
            }
            group.addTask { await consuming.run() }
            group.addTask { await publishing.run() }
            group.addTask { await deadLettering.run() }
            group.addTask { await ticking.run() }
            group.addTask { await trying.run() }
            group.addTask { await heartbeat.run() }
            group.addTask { await keeping.run() }
            group.addTask { await AlarmWatch(parts: console).run() }
            defer { group.cancelAll() }
            guard try await prepareDatabase(), let strays = try await prepareBroker() else { return }
            group.addTask { await keeper(strays).run() }
            group.addTask { await policies?.run() }
            await watch.begin()
            group.addTask { await watch.run() }
            group.addTask { await context.lateAnswers.run(context, signal) }
            group.addTask { await deadLetterSubscription.run() }
            group.addTask { await relay.run() }
            group.addTask { await gauges.run() }
            group.addTask { await minutes.run() }
            async let swept: Void = sweeps.run()
            async let replayed: Void = ReplayService(runner: deadLetters.runner, logger: logger).run()
            async let stopping = Self.gracefulShutdown()
            await withTaskExecutorPreference(loop) { await subscription(strays).run() }
            let stopped = await stopping
            await swept
            await replayed
            await bankConnections.drain(within: configuration.shutdownGrace - Self.pause * 2, since: stopped)
            await context.lateAnswers.completed()
            logger.info("drained")
        }
        await bankConnections.close()
        await policies?.api.close()
    }

    /// Waits for it, or the task's cancellation.
    ///
    /// - Returns: when it came.
    private static func gracefulShutdown() async -> ContinuousClock.Instant {
        try? await ServiceLifecycle.gracefulShutdown()
        return .now
    }

    /// Waits for the database as long as it takes; then brings its schema up to date, or checks it.
    ///
    /// - Returns: false where a shutdown came first.
    private func prepareDatabase() async throws -> Bool {
        var reported: String?
        func report(_ error: any Error) {
            let text = "\(error)"
            if text != reported { logger.warning("waiting for the database", metadata: ["error": "\(text)"]) }
            reported = text
        }
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                // A migration may be waiting for a lock: nobody waits for it any more then.
                let applied = try await cancelWhenGracefulShutdown {
                    let applied = try await preparation.run(migrates: configuration.migratesDatabase)
                    try await preparation.checkRights()
                    return applied
                }
                for name in applied {
                    logger.info("migrated", metadata: ["migration": "\(name)"])
                }
                guard try await FingerprintGuard(pool: pools.queries).accepts(configuration.fingerprinter) else {
                    throw ConfigurationError.otherFingerprintSecret
                }
                logger.info("ready to begin", metadata: limits)
                return true
            } catch is MigrationError where Task.isShuttingDownGracefully {
                return false
            } catch let error as MigrationError where error.isRetriable {
                report(error)
            } catch let error as StoreError where error.isRetriable {
                report(error)
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
        }
        return false
    }

    /// What an operator asks first of a processor that starts.
    private var limits: Logger.Metadata {
        [
            "schema": "\(Migrations.all.last?.name ?? "none")", "partitions": "\(configuration.partitions)",
            "prefetch": "\(configuration.prefetch)", "bank.concurrency": "\(configuration.bankConcurrency)",
            "bank.timeout": "\(configuration.limits.bankTimeout)", "lease": "\(configuration.limits.lease)",
        ]
    }

    private var preparation: DatabasePreparation {
        DatabasePreparation(pool: pools.queries, configuration: configuration) { [logger] in logger.notice("\($0)") }
    }

    /// Waits for the broker as long as it takes; then sees to it that everything is there.
    ///
    /// - Returns: `nil` where a shutdown came first.
    private func prepareBroker() async throws -> StrayPartitions? {
        let preparation = BrokerPreparation(
            declarer: TopologyDeclarer(configuration),
            strays: StrayPartitions(configuration),
            configuration: configuration.broker,
            policies: policies,
            logger: logger
        )
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do throws(TopologyError) {
                return try await preparation.run()
            } catch {
                // Reported by the connection that commands come in on.
                guard case .broker = error else { throw error }
            }
            try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
        }
        return nil
    }

    private func keeper(_ strays: StrayPartitions) -> TopologyKeeper {
        TopologyKeeper(
            session: keeping,
            declarer: TopologyDeclarer(configuration),
            strays: strays,
            watch: topologyWatch,
            logger: logger
        )
    }

    private var deadLetterSubscription: DeadLetterSubscription {
        DeadLetterSubscription(
            session: deadLettering,
            names: configuration.names,
            ingester: ingester,
            steady: SteadyConsumer(watch: topologyWatch),
            onFailure: { [logger] error in
                logger.warning("dead letters are not taken, trying again", metadata: ["error": "\(error)"])
            }
        )
    }

    private func subscription(_ strays: StrayPartitions) -> CommandSubscription {
        CommandSubscription(
            session: consuming,
            queues: (0..<configuration.partitions).map { partition in
                CommandSubscription.Queue(name: configuration.names.commandsQueue(partition), partition: partition)
            } + strays.queues.map { CommandSubscription.Queue(name: $0.name, partition: nil) },
            prefetch: configuration.prefetch,
            consumer: consumer,
            membership: membership,
            steady: SteadyConsumer(watch: topologyWatch),
            onSubscribed: { [readiness, logger] in
                readiness.setBroker(.ok)
                logger.info("taking commands")
            },
            onFailure: { [logger] error in
                logger.warning("subscription lost, trying again", metadata: ["error": "\(error)"])
            }
        )
    }
}

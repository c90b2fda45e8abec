import Core
import HTTPClient
import Logging
import Postgres

extension OperationResolver {
    /// For a command of an operator, in a process of its own: running processors send what it writes to the outbox.
    ///
    /// - Throws: `HTTPError` where the process is out of threads or descriptors.
    init(_ configuration: ProcessorConfiguration) throws {
        let pool = PostgresPool.forCommand(configuration)
        let client = try HTTPClient(
            configuration: .bank(configuration.bankTLS)
        )
        self.init(
            store: PostgresPaymentStore(
                claimPool: pool,
                resultPool: pool,
                sweepPool: pool,
                fingerprinter: configuration.fingerprinter
            ),
            queries: PostgresPaymentQueries(pool: pool),
            deadLetters: PostgresDeadLetterStore(pool: pool),
            bank: HTTPBank(client: client, url: configuration.bank.base),
            signal: WakeUpSignal(),
            time: SystemTime(),
            random: SystemRandom(),
            observer: ProcessorTelemetry(
                logger: Logger(label: "processor"),
                metrics: ProcessorMetrics(registry: PrometheusRegistry()),
                readiness: Readiness(),
                time: SystemTime()
            ),
            limits: configuration.limits
        )
    }
}

import Logging
import Postgres

/// The connections to the database, by what they are for: claims, results, sweeps and questions never wait for each
/// other.
struct DatabasePools: Sendable {
    let claims: PostgresPool
    let results: PostgresPool
    let sweeps: PostgresPool
    let queries: PostgresPool
    /// For the watch alone: what it waits for is the server, never other work.
    let watch: PostgresPool

    /// - Parameter onStateChange: told about the pool of the claims: all of them reach the same server.
    init(_ configuration: PostgresConfiguration, onStateChange: @escaping @Sendable (PostgresPoolState) -> Void) {
        var batches = configuration
        batches.sessionSettings += PostgresPaymentStore.sessionSettings
        // One connection each: what arrives during a flush makes the next one larger, and so cheaper.
        claims = PostgresPool(batches.named("processor-claims"), size: 1, onStateChange: onStateChange)
        results = PostgresPool(batches.named("processor-settles"), size: 1)
        // One for a sweep's check, one for the relay of the outbox.
        sweeps = PostgresPool(batches.named("processor-sweeps"), size: 2)
        queries = PostgresPool(configuration.named("processor-queries"), size: 2)
        var watching = configuration.named("processor-watch")
        watching.statementTimeout = min(watching.statementTimeout, DatabaseWatch.answerLimit)
        watch = PostgresPool(watching, size: 1)
    }

    /// Keeps the connections open until the task is cancelled.
    func run() async {
        await withDiscardingTaskGroup { group in
            for pool in [claims, results, sweeps, queries, watch] { group.addTask { await pool.run() } }
        }
    }
}

/// Asks the database for a sign of life all the time, on a connection of its own, so that `/readyz` says what was seen lately, and
/// a server that hangs is found out within seconds: then all connections to it are given up, whatever they wait for.
struct DatabaseWatch: Sendable {
    let pool: PostgresPool
    let readiness: Readiness
    let logger: Logger
    let spell: ReadOnlySpell

    /// The server's own limit; the driver waits a second longer.
    static let answerLimit = Duration.seconds(2)
    private static let period = Duration.milliseconds(500)
    /// A session goes on as it began: whether the database can be written to again, only a new one can tell.
    private static let renewalPeriod = Duration.seconds(3)

    /// Until the task is cancelled.
    func run() async {
        var isAnswering = true
        var renewal = ContinuousClock.now
        // Of the session, or earlier.
        var begun = ContinuousClock.now
        readiness.saw(.statements)
        while !Task.isCancelled {
            do throws(PostgresError) {
                let (isRenewed, start) = (ContinuousClock.now >= renewal, begun)
                let isWritable = try await pool.withConnection { [spell] connection throws(PostgresError) in
                    let result = try connection.execute("SELECT current_setting('transaction_read_only')")
                    if try result.first?.text(0) != "off" { spell.refused() }
                    let isWritable = spell.mayWrite(sessionOf: start)
                    if !isWritable, isRenewed { connection.abandon("it can only be read from") }
                    return isWritable
                }
                isAnswering = true
                if isWritable {
                    readiness.saw(.statements)
                } else {
                    if isRenewed { (renewal, begun) = (.now + Self.renewalPeriod, .now) }
                    readiness.failed(.statements, "it can only be read from")
                }
            } catch {
                // What became of the connections is reported by those who hold them.
                if isAnswering, error.code != .cancelled, error.code != .closed {
                    logger.warning("the database does not answer", metadata: ["error": "\(error)"])
                }
                readiness.failed(.statements, "\(error)")
                isAnswering = false
            }
            try? await Task.sleep(for: Self.period)
        }
    }
}

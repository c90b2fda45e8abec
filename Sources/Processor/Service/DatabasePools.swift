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

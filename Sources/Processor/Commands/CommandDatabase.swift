import Core
import Postgres

extension PostgresPool {
    /// For a command of an operator: one connection, and a short wait where there is no server.
    static func forCommand(_ configuration: ProcessorConfiguration) -> PostgresPool {
        let pool = PostgresPool(configuration.database.named("processor-command"), size: 1, waitTimeout: .seconds(5))
        // Ends with the process, as the command does.
        Task { await pool.run() }
        return pool
    }
}

/// What `payments` asks.
func openQueries(_ configuration: ProcessorConfiguration) async throws -> any PaymentQueries {
    PostgresPaymentQueries(pool: .forCommand(configuration))
}

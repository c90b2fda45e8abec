import Logging
import Postgres

/// Asks the database for a sign of life all the time, on a connection of its own, so that `/readyz` says what was seen lately, and
/// a server that hangs is found out within seconds: then all connections to it are given up, whatever they wait for.
struct DatabaseWatch: Sendable {
    let pool: PostgresPool
    let readiness: Readiness
    let logger: Logger

    /// The server's own limit; the driver waits a second longer.
    static let answerLimit = Duration.seconds(2)
    private static let period = Duration.milliseconds(500)

    /// Until the task is cancelled.
    func run() async {
        var isAnswering = true
        while !Task.isCancelled {
            do {
                _ = try await pool.execute("SELECT 1")
                readiness.sawDatabase()
                isAnswering = true
            } catch {
                // What became of the connections is told by those who hold them.
                if isAnswering, error.code != .cancelled, error.code != .closed {
                    logger.warning("the database does not answer", metadata: ["error": "\(error)"])
                }
                isAnswering = false
            }
            try? await Task.sleep(for: Self.period)
        }
    }
}

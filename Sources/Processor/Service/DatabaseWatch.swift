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
        readiness.saw(.statements)
        while !Task.isCancelled {
            do throws(PostgresError) {
                let result = try await pool.execute("SELECT current_setting('transaction_read_only')")
                isAnswering = true
                if try result.first?.text(0) == "off" {
                    readiness.saw(.statements)
                } else {
                    readiness.failed(.statements, "it can only be read from")
                }
            } catch {
                // What became of the connections is told by those who hold them.
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

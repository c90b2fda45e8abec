import Core
import Postgres

/// Tries all the time whether the database answers, and whether it can be written to.
struct DatabaseHeartbeat: Sendable {
    /// That of the claims, which every command begins with.
    let pool: PostgresPool
    let readiness: Readiness
    let time: any TimeSource

    private static let period = Duration.seconds(1)

    /// Until the task is cancelled.
    func run() async {
        readiness.saw(.statements)
        while !Task.isCancelled {
            do throws(PostgresError) {
                let result = try await pool.execute("SELECT current_setting('transaction_read_only')")
                if try result.first?.text(0) == "off" {
                    readiness.saw(.statements)
                } else {
                    readiness.failed(.statements, "it can only be read from")
                }
            } catch {
                readiness.failed(.statements, "\(error)")
            }
            try? await time.sleep(for: Self.period)
        }
    }
}

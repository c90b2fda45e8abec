import Core
import Postgres

/// What all processors have done with commands, by the minute.
protocol CommandMinutes: Sendable {
    /// Notes what a processor has done since its start, under the minute that it is. Noting the same again changes nothing.
    func note(_ counts: [CommandOutcome: Int], by member: String) async throws(StoreError)

    /// Of all processors together.
    func lastHour() async throws(StoreError) -> CommandHour
}

/// What was done with commands within an hour.
struct CommandHour: Hashable, Sendable {
    /// Sixty of them, oldest first; the last one is not over.
    let minutes: [[CommandOutcome: Int]]
    /// Of the last minute, so many are over.
    let seconds: Int

    /// Commands a second since the beginning of the minute before the last one: what a processor has done is in the minute in which it was
    /// noted, a few seconds later.
    var perSecond: Double {
        let count = minutes.suffix(2).reduce(0) { $0 + $1.values.reduce(0, +) }
        return Double(count) / Double(60 + seconds)
    }
}

/// The table `command_minutes`. The minutes are those of the database's clock, for all processors the same.
struct PostgresCommandMinutes: CommandMinutes {
    let pool: PostgresPool

    private static let outcomes = CommandOutcome.allCases
    private static let columns = outcomes.map(column).joined(separator: ", ")

    private static func column(_ outcome: CommandOutcome) -> String {
        outcome == .deferred ? "deferred" : outcome.rawValue
    }

    func note(_ counts: [CommandOutcome: Int], by member: String) async throws(StoreError) {
        let values = Self.outcomes.indices.map { "$\($0 + 2)" }.joined(separator: ", ")
        let changes = Self.outcomes.map { "\(Self.column($0)) = excluded.\(Self.column($0))" }.joined(separator: ", ")
        try await pool.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                INSERT INTO command_minutes (minute, member, \(Self.columns))
                VALUES (date_trunc('minute', clock_timestamp()), $1, \(values))
                ON CONFLICT (minute, member) DO UPDATE SET \(changes)
                """,
                [.text(member)] + Self.outcomes.map { .int8(Int64(counts[$0] ?? 0)) }
            )
            _ = try connection.execute(
                "DELETE FROM command_minutes WHERE minute < clock_timestamp() - interval '2 hours'"
            )
        }
    }

    func lastHour() async throws(StoreError) -> CommandHour {
        // A processor without an earlier row has been started in that minute: rows are kept for longer than is shown. One that did not
        // get through to the database for a while has done what it did then in the minute that it was back.
        let differences = Self.outcomes.map { outcome in
            let column = Self.column(outcome)
            return "\(column) - coalesce(lag(\(column)) OVER of_member, 0) AS \(column)"
        }
        let sums = Self.outcomes.map { "sum(\(Self.column($0)))::bigint" }.joined(separator: ", ")
        return try await pool.storeTransaction { connection throws(PostgresError) in
            // The time of the transaction, so that the minute is the same in both.
            let clock = try connection.execute("SELECT floor(extract(second FROM now()))::integer")
            let rows = try connection.execute(
                """
                SELECT age, \(sums) FROM (
                    SELECT (extract(epoch FROM date_trunc('minute', now()) - minute) / 60)::integer AS age,
                        \(differences.joined(separator: ", "))
                    FROM command_minutes WINDOW of_member AS (PARTITION BY member ORDER BY minute)
                ) AS steps WHERE age BETWEEN 0 AND \(CommandRates.minutes - 1) GROUP BY age
                """
            )
            var minutes = [[CommandOutcome: Int]](repeating: [:], count: CommandRates.minutes)
            for row in rows {
                let age = Int(try row.int32(0))
                for (position, outcome) in Self.outcomes.enumerated() {
                    let count = Int(try row.int64(position + 1))
                    if count > 0 { minutes[CommandRates.minutes - 1 - age][outcome] = count }
                }
            }
            return CommandHour(minutes: minutes, seconds: Int(try clock.single().int32(0)))
        }
    }
}

/// Notes every few seconds what this processor has done with commands.
struct CommandMinuteWriter: Sendable {
    let minutes: any CommandMinutes
    let metrics: ProcessorMetrics
    let readiness: Readiness
    /// Of this processor among the members.
    let identity: String
    let time: any TimeSource

    private static let period = Duration.seconds(5)

    /// Until the task is cancelled. What cannot be noted now is in the next note.
    func run() async {
        while !Task.isCancelled {
            if readiness.current.database == .ok {
                try? await minutes.note(metrics.rates.sinceStart, by: identity)
            }
            try? await time.sleep(for: Self.period)
        }
    }
}

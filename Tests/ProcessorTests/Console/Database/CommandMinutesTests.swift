import Core
import Testing

@testable import Processor
@testable import StoreContract

@Suite("Commands by the minute, of all processors", .serialized, .timeLimit(.minutes(5)))
struct CommandMinutesTests {
    /// Sums of what was noted, wherever a minute may have ended in between.
    private func sums(_ minutes: [[CommandOutcome: Int]]) -> [CommandOutcome: Int] {
        minutes.reduce(into: [:]) { $0.merge($1, uniquingKeysWith: +) }
    }

    @Test("what several processors note adds up, and noting the same again adds nothing")
    func several() async throws {
        try await ConsoleDatabase.with { database in
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            #expect(try await minutes.lastHour().minutes.count == 60)
            for _ in 0..<2 { try await minutes.note([.succeeded: 5, .deferred: 1, .deadLettered: 2], by: "a") }
            try await minutes.note([.succeeded: 7, .deferred: 1, .deadLettered: 2], by: "a")
            try await minutes.note([.succeeded: 3, .declined: 4], by: "b")
            let hour = try await minutes.lastHour()
            #expect(hour.minutes.count == 60 && (0..<60).contains(hour.seconds))
            #expect(hour.perSecond == 17 / Double(60 + hour.seconds))
            #expect(sums(hour.minutes) == [.succeeded: 10, .declined: 4, .deferred: 1, .deadLettered: 2])
        }
    }

    @Test("each minute has what was done in it; what is older than an hour is not shown, and goes after two")
    func steps() async throws {
        try await ConsoleDatabase.with { database in
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            try await minutes.note([.succeeded: 100], by: "a")
            // As if it had been noted so long ago, each minute a little more.
            try await database.execute(
                """
                UPDATE command_minutes SET minute = minute - interval '10 minutes', succeeded = 90;
                INSERT INTO command_minutes SELECT minute - n * interval '1 minute', 'a', 90 - n * 10, 0, 0, 0, 0, 0, 0
                FROM command_minutes, (VALUES (1), (3), (70), (200)) AS v (n) WHERE member = 'a' AND succeeded = 90;
                UPDATE command_minutes SET succeeded = 1 WHERE succeeded < 0;
                """
            )
            try await minutes.note([.succeeded: 100], by: "a")
            let steps = try await minutes.lastHour().minutes.map { $0[.succeeded] ?? 0 }.filter { $0 > 0 }
            // Since the row of 80 minutes ago: 60 - 1, then 80 - 60, 90 - 80, 100 - 90.
            #expect(steps == [59, 20, 10, 10])
            let left = try await database.number("SELECT count(*) FROM command_minutes")
            #expect(left == 5)
        }
    }

    @Test("the writer notes what this processor has done since its start")
    func writer() async throws {
        try await ConsoleDatabase.with { database in
            let (metrics, readiness) = (ProcessorMetrics(registry: PrometheusRegistry()), Readiness())
            readiness.setDatabase(.ok)
            metrics.countCommand(.capture, .succeeded)
            metrics.countUnanswerable()
            let minutes = PostgresCommandMinutes(pool: database.pools.queries)
            let writing = Task {
                await CommandMinuteWriter(
                    minutes: minutes,
                    metrics: metrics,
                    readiness: readiness,
                    identity: "a",
                    time: SystemTime()
                ).run()
            }
            while try await sums(minutes.lastHour().minutes).isEmpty { await Task.yield() }
            writing.cancel()
            await writing.value
            #expect(try await sums(minutes.lastHour().minutes) == [.succeeded: 1, .deadLettered: 1])
        }
    }
}

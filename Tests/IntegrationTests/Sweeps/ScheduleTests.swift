import AMQP
import Core
import Glibc
import TestSupport
import Testing

extension CommandLane {
    @Suite("The schedule over the broker", .timeLimit(.minutes(10)))
    struct ScheduleTests {
        @Test("two processors and three hundred slots: each slot is run once, also when the one that runs them dies")
        func slots() async throws {
            let settings = World.Settings(
                processor: [
                    "SWEEPS_RECONCILE_PERIOD": "100ms", "SWEEPS_EXPIRE_PERIOD": "100ms",
                    "SWEEPS_RETENTION_PERIOD": "100ms",
                ]
            )
            try await World.run(settings) { world in
                let first = try await world.startProcessor()
                try await world.startProcessor()
                try await eventually("a hundred slots were run") {
                    try await world.database.number("SELECT count(*) FROM sweep_runs") >= 100
                }
                try await first.child.crash()
                try await eventually("three hundred slots were run", within: .seconds(120)) {
                    try await world.database.number("SELECT count(*) FROM sweep_runs") >= 300
                }
                // The constraint would have kept a second row of a slot out; that each was begun once is in the log of who began it.
                let rows = try await world.database.rows(
                    "SELECT job, slot, finished_at IS NULL AS is_cut FROM sweep_runs"
                )
                #expect(Set(rows.map { "\($0["job"]?.string ?? "") \($0["slot"]?.string ?? "")" }).count == rows.count)
                // Cut short at most by the crash, and while the test looks.
                #expect(rows.count { $0["is_cut"] == .bool(true) } <= 6)
                let gaps = try await world.database.number(
                    """
                    SELECT count(*) FROM (
                        SELECT job, slot - lag(slot) OVER (PARTITION BY job ORDER BY slot) AS gap FROM sweep_runs
                    ) AS g WHERE gap < interval '100 ms'
                    """
                )
                #expect(gaps == 0)
            }
        }

        @Test("sweeps run and sweeps status print what the contract says")
        func commands() async throws {
            try await World.run(World.Settings(processor: SweepTimes.byHand)) { world in
                let processor = try await world.startQuietProcessor()
                let payment = try await world.authorized()
                #expect(try await processor.terminate() == .status(0))
                try await world.makeStuckCaptures(of: [payment])

                let dry = try await world.sweep("reconcile", "--dry-run")
                #expect(
                    text(dry)
                        == #"{"dry_run":true,"examined":1,"job":"reconcile","needs_attention":0,"resolved":0,"waiting":1}"#
                )
                #expect(try await world.database.number("SELECT max(attempts) FROM operations") == 1)
                let real = try await world.sweep("reconcile")
                #expect(
                    text(real)
                        == #"{"dry_run":false,"examined":1,"job":"reconcile","needs_attention":0,"resolved":1,"waiting":0}"#
                )
                for job in ["expire", "retention"] {
                    let report = try await world.sweep(job)
                    #expect(report["examined"]?.integer == 0)
                }

                let status = try await world.command(["sweeps", "status", "--json"])
                let runs = try JSONParser.parse(Array(status.output.utf8))["runs"]?.elements ?? []
                // Those of the processor's start, and ours: a dry run leaves no trace.
                let ours = runs.filter { $0["slot"] == .null }
                #expect(ours.map { $0["job"]?.string } == ["retention", "expire", "reconcile"])
                #expect(ours.last?["resolved"]?.integer == 1)
                for run in runs {
                    guard case .object(let members) = run else { continue }
                    #expect(
                        members.keys.sorted() == [
                            "examined", "finished_at", "job", "needs_attention", "resolved", "slot", "started_at",
                        ]
                    )
                }
                let table = try await world.command(["sweeps", "status"])
                #expect(table.output.contains("by hand"))
                #expect(try await world.command(["sweeps", "run", "other"]).exit == .status(64))
            }
        }

        private func text(_ json: JSONValue) -> String { String(decoding: json.encoded, as: UTF8.self) }
    }
}

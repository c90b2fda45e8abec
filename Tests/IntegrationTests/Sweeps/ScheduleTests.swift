import AMQP
import Core
import Foundation
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

extension RestartLane {
    /// Sizes are a tenth or less of what they are for; SWEEP_TEST_SCALE multiplies them (10: the full ones), and then latencies
    /// are judged too. In a usual run they are only printed: machines are noisy.
    @Suite("Sweeps with much to do", .timeLimit(.minutes(20)))
    struct SweepLoadTests {
        private static let givenScale = ProcessInfo.processInfo.environment["SWEEP_TEST_SCALE"].flatMap { Int($0) }
        private static let scale = givenScale ?? 1

        @Test("rows that nobody can resolve do not delay those that can be")
        func unresolvable() async throws {
            let count = 100 * Self.scale
            let settings = World.Settings(processor: SweepTimes.byHandUnderLoad, isAudited: false)
            try await World.run(settings) { world in
                try await world.startQuietProcessor()
                let payments = try await world.authorizedPayments(2 * count)
                // First in line.
                try await world.makeStuckCaptures(of: Array(payments.prefix(count)), isKnown: false)
                try await world.makeStuckCaptures(of: Array(payments.suffix(count)))
                try await world.database.execute(
                    """
                    UPDATE operations SET lease_until = now() - interval '1 hour' WHERE payment_id IN (
                        SELECT id FROM payments WHERE id IN (\(payments.prefix(count).map { "'\($0)'" }.joined(separator: ","))))
                        AND kind = 'capture'
                    """
                )
                let report = try await world.sweep("reconcile", with: ["SWEEPS_BATCH": "50"])
                #expect(report["examined"]?.integer == Int64(2 * count))
                #expect(report["resolved"]?.integer == Int64(count))
                #expect(report["waiting"]?.integer == Int64(count))
                // Nobody was checked twice, and each check has moved what it checked.
                #expect(try await world.database.number("SELECT max(checks) FROM open_operations") == 1)
                let unmoved =
                    "SELECT count(*) FROM open_operations w JOIN operations o ON o.id = w.operation_id "
                    + "WHERE o.state = 'UNKNOWN' AND w.due_at < o.lease_until"
                #expect(try await world.database.number(unmoved) == 0)
                let captured = "SELECT count(*) FROM payments WHERE status = 'CAPTURED'"
                #expect(try await world.database.number(captured) == Int64(count))
            }
        }

        @Test("stuck payments drain while live traffic goes on")
        func drain() async throws {
            let count = 1_000 * Self.scale
            let settings = World.Settings(
                bank: ["MIN_LATENCY_MS": "20", "MAX_LATENCY_MS": "40"],
                processor: SweepTimes.byHandUnderLoad
            )
            try await World.run(settings) { world in
                try await world.startQuietProcessor()
                let payments = try await world.authorizedPayments(count)
                _ = try await latency(of: 50, in: world)
                let before = try await latency(of: 100, in: world)
                try await world.makeStuckCaptures(of: payments)
                async let report = world.sweep("reconcile")
                var busy: [Duration] = []
                var isDrained = false
                while !isDrained {
                    busy += try await latencies(of: 10, in: world)
                    let left = "SELECT count(*) FROM operations WHERE kind = 'capture' AND state <> 'SUCCEEDED'"
                    isDrained = try await world.database.number(left) == 0
                }
                #expect(try await report["resolved"]?.integer == Int64(count))
                // Machines are noisy: idle is the worse of what it was before and after.
                let idle = max(before, try await latency(of: 100, in: world))
                let median = busy.sorted()[busy.count / 2]
                print("idle \(idle), while \(count) stuck payments drained \(median) (\(busy.count) commands)")
                if Self.givenScale != nil { #expect(median <= idle * 2, "idle \(idle), busy \(median)") }
                try await eventually("every reply came", within: .seconds(240)) {
                    payments.allSatisfy { world.upstream.replies(to: "stuck-\($0)").contains(where: \.isFinal) }
                }
            }
        }

        private func latencies(of count: Int, in world: World) async throws -> [Duration] {
            var latencies: [Duration] = []
            for _ in 0..<count {
                let start = ContinuousClock.now
                try await world.ask(.authorize(amount: 100))
                latencies.append(.now - start)
            }
            return latencies
        }

        private func latency(of count: Int, in world: World) async throws -> Duration {
            try await latencies(of: count, in: world).sorted()[count / 2]
        }
    }
}

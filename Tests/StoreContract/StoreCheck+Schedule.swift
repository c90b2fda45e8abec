import Core
import Testing

extension StoreCheck {
    static var schedule: [StoreCheck] {
        [
            StoreCheck("a slot is taken by one run, which may ask again") { scene in
                let slot = SweepSlot(job: .reconcile, start: Timestamp(microseconds: 1_800_000_000_000_000))
                let (first, second) = (SweepRunID(.random), SweepRunID(.random))
                let isTaken = try await scene.begins(first, slot)
                #expect(isTaken)
                #expect(try await scene.begins(second, slot) == false)
                #expect(try await scene.begins(first, slot) == true)
                #expect(try await scene.begins(second, SweepSlot(job: .expire, start: slot.start)) == true)
                let next = SweepSlot(job: .reconcile, start: slot.start.advanced(by: .seconds(60)))
                #expect(try await scene.begins(SweepRunID(.random), next) == true)
                #expect(try await scene.runs().count == 3)
            },
            StoreCheck("of many runs that want a slot at the same time one gets it") { scene in
                let slot = SweepSlot(job: .expire, start: Timestamp(microseconds: 1_800_000_000_000_000))
                let taken = try await withThrowingTaskGroup(of: Bool.self) { group in
                    for _ in 0..<16 {
                        group.addTask { try await scene.sweeps.begin(SweepRunID(.random), slot) }
                    }
                    return try await group.reduce(into: 0) { $0 += $1 ? 1 : 0 }
                }
                #expect(taken == 1)
            },
            StoreCheck("a run is remembered with what it found, the newest first") { scene in
                let slot = SweepSlot(job: .reconcile, start: Timestamp(microseconds: 1_800_000_000_000_000))
                let (first, second) = (SweepRunID(.random), SweepRunID(.random))
                #expect(try await scene.sweeps.begin(first, slot) == true)
                try await scene.subject.pass(.milliseconds(5))
                try await scene.sweeps.begin(second, .retention)
                let report = SweepReport(examined: 4, resolved: 2, needsAttention: 1, waiting: 1)
                try await scene.sweeps.finish(first, report)
                let runs = try await scene.sweeps.runs(limit: 10)
                #expect(runs.map(\.id) == [second, first])
                #expect(runs.map(\.job) == [.retention, .reconcile])
                #expect(runs.map(\.slot) == [nil, slot.start])
                #expect(runs.map(\.report) == [SweepReport(), report])
                #expect(runs[0].finishedAt == nil)
                #expect(runs[1].finishedAt.map { $0 >= runs[1].startedAt } == true)
                #expect(try await scene.sweeps.runs(limit: 1).map(\.id) == [second])
            },
            StoreCheck("what is old goes, a batch at a time, and what is new stays") { scene in
                for _ in 0..<5 { try await scene.sweeps.begin(SweepRunID(.random), .expire) }
                #expect(try await scene.sweeps.removeOld(SweepPolicy(batch: 2)) == 0)
                var policy = SweepPolicy(batch: 2)
                policy.keepsRuns = .zero
                try await scene.subject.pass(.milliseconds(5))
                #expect(try await scene.sweeps.preview(.retention, policy, expiredBy: nil).examined == 5)
                var removed = 0
                while true {
                    let count = try await scene.sweeps.removeOld(policy)
                    #expect(count <= 2)
                    removed += count
                    if count == 0 { break }
                }
                #expect(removed == 5)
                #expect(try await scene.sweeps.runs(limit: 10).count == 0)
            },
        ]
    }
}

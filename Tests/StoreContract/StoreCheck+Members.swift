import Core
import Testing

extension StoreCheck {
    static var members: [StoreCheck] {
        [
            StoreCheck("members see each other, with what they are subscribed to, until they sign off") { scene in
                let (first, second) = ("first-\(UniqueID.random)", "second-\(UniqueID.random)")
                let alone = try await scene.renew(first, [])
                #expect(alone.map(\.id) == [first])
                try await scene.subject.pass(.milliseconds(5))
                let both = try await scene.renew(second, [3, 1])
                #expect(both.map(\.id) == [first, second])
                #expect(both.map(\.subscribed) == [[], [1, 3]])
                #expect(both.map(\.version) == ["1.0", "1.0"])
                #expect(both[0].lastSeen < both[1].lastSeen)
                let again = try await scene.renew(first, [0])
                #expect(again.map(\.subscribed) == [[0], [1, 3]])
                #expect(again[0].startedAt == alone[0].startedAt)
                #expect(again[0].lastSeen > alone[0].lastSeen)
                #expect(try await scene.subject.members.members(timeout: .seconds(10)) == again)
                try await scene.subject.members.removeMember(second)
                try await scene.subject.members.removeMember(second)
                #expect(try await scene.renew(first, [0]).map(\.id) == [first])
                try await scene.subject.members.removeMember(first)
            },
            StoreCheck("one that gives no sign of life is missed, and comes back with its next") { scene in
                let (first, second) = ("first-\(UniqueID.random)", "second-\(UniqueID.random)")
                _ = try await scene.renew(first, [])
                try await scene.renewUntilAlone(second)
                #expect(try await scene.renew(first, []).contains { $0.id == first })
                try await scene.subject.members.removeMember(first)
                try await scene.subject.members.removeMember(second)
            },
        ]
    }
}

extension StoreScene {
    fileprivate func renew(
        _ id: String,
        _ subscribed: Set<Int>,
        timeout: Duration = .seconds(10)
    ) async throws -> [Member] {
        try await subject.members.renewMember(id, version: "1.0", subscribed: subscribed, timeout: timeout)
    }

    fileprivate func renewUntilAlone(_ id: String) async throws {
        for _ in 0..<400 {
            if try await renew(id, [], timeout: .milliseconds(50)).count == 1 { return }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("the other one is not missed")
    }
}

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

import Core
import Testing

extension StoreCheck {
    /// Of the reconciling sweep.
    static var looks: [StoreCheck] {
        [
            StoreCheck("what nobody works on any more is claimed, under a higher fence, by one look only") { scene in
                let stuck = try await scene.stuckCapture()
                let findings = try await scene.lookUntilDue()
                let claim = try #require(findings.claims.first)
                #expect(findings.claims.count == 1 && findings.waiting == 0)
                #expect(claim.operation.id == stuck.operation.id)
                #expect(claim.operation.fence == stuck.operation.fence + 1)
                #expect(claim.operation.attempts == stuck.operation.attempts + 1)
                #expect(claim.operation.isAmbiguous)
                #expect(claim.operation.bankKey == stuck.operation.bankKey)
                #expect(claim.operation.leaseUntil == findings.now.advanced(by: StoreScene<Subject>.longLease))
                #expect(claim.payment == stuck.payment)
                #expect(try await scene.view(stuck.payment.id).operations.last == claim.operation)
                #expect(try await scene.look().count == 0)

                let late = StoreScene<Subject>.success(stuck)
                #expect(try await scene.store.settle(late) == .superseded)
                #expect(try await scene.store.settle(StoreScene<Subject>.success(claim)) == .settled)
                try await scene.expectLegalHistory(stuck.payment.id)
            },
            StoreCheck("what is leased, resting, settled or a person's is not claimed") { scene in
                let leased = try await scene.authorized()
                _ = try await scene.claimed(scene.command(.capture(amount: nil), leased.id))
                let resting = try await scene.stuckCapture()
                let rest = Settlement.resting(resting, reason: "timeout", ambiguousSends: 1, rest: .seconds(600))
                #expect(try await scene.store.settle(rest) == .settled)
                let attention = try await scene.stuckCapture()
                let given = Settlement.needsAttention(attention, reason: "r", ambiguousSends: 1)
                #expect(try await scene.store.settle(given) == .settled)
                let settled = try await scene.stuckCapture()
                #expect(try await scene.store.settle(StoreScene<Subject>.success(settled)) == .settled)
                for _ in 0..<8 {
                    #expect(try await scene.look().claims.isEmpty)
                    try await scene.subject.pass(.milliseconds(25))
                }
                let backlog = try await scene.sweeps.backlog()
                #expect(backlog.open[.capture] == 2)
                #expect(backlog.outboxOldest == .zero)
            },
            StoreCheck("an authorize whose lease has run out waits, and its next look is later") { scene in
                let stuck = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease)
                let findings = try await scene.lookUntilDue()
                #expect(findings.waiting == 1 && findings.claims.isEmpty)
                #expect(try await scene.look().count == 0)
                #expect(try await scene.view(stuck.payment.id).operations == [stuck.operation])
                // Its delivery may come back at any time.
                let back = try await scene.claim(try scene.authorize())
                #expect(back.isClaimed)
            },
            StoreCheck("an authorize is claimed, to be given up, when its time is over") { scene in
                let stuck = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease)
                var policy = SweepPolicy()
                policy.abandonAfter = .milliseconds(30)
                let claim = try #require(try await scene.lookUntilDue(policy: policy).claims.first)
                #expect(claim.operation.id == stuck.operation.id)
                #expect(claim.operation.fence == 2)
            },
            StoreCheck("rows that nobody can resolve do not fill the looks of those behind them (trap P15)") { scene in
                for _ in 0..<6 { _ = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease) }
                let stuck = try await scene.stuckCapture()
                var (claims, waiting) = ([Claim](), 0)
                while claims.isEmpty {
                    let findings = try await scene.lookUntilDue(limit: 2)
                    #expect(findings.count <= 2)
                    claims += findings.claims
                    waiting += findings.waiting
                    #expect(waiting <= 6)
                }
                #expect(claims.map(\.operation.id) == [stuck.operation.id])
            },
            StoreCheck("looks at the same time share what is due") { scene in
                for _ in 0..<24 { _ = try await scene.stuckCapture() }
                for _ in 0..<8 { try await scene.subject.pass(.milliseconds(25)) }
                let claims = try await withThrowingTaskGroup(of: [Claim].self) { group in
                    for _ in 0..<6 { group.addTask { try await scene.look(limit: 10).claims } }
                    return try await group.reduce(into: [Claim]()) { $0 += $1 }
                }
                let rest = try await scene.look().claims
                let ids = (claims + rest).map(\.operation.id)
                #expect(ids.count == 24)
                #expect(Set(ids).count == 24)
            },
            StoreCheck("a preview tells what is due, and moves nothing") { scene in
                _ = try await scene.stuckCapture()
                _ = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease)
                for _ in 0..<8 { try await scene.subject.pass(.milliseconds(25)) }
                for _ in 0..<2 {
                    let report = try await scene.sweeps.preview(.reconcile, SweepPolicy(), expiredBy: nil)
                    #expect(report == SweepReport(examined: 2, waiting: 2))
                }
                #expect(try await scene.look().count == 2)
            },
        ]
    }
}

import Core
import Testing

extension StoreCheck {
    /// Of the reconciling sweep.
    static var sweepChecks: [StoreCheck] {
        [
            StoreCheck("what nobody works on any more is claimed, under a higher fencing token, by one check only") {
                scene in
                let stuck = try await scene.stuckCapture()
                let findings = try await scene.checkUntilDue()
                let claim = try #require(findings.claims.first)
                #expect(findings.claims.count == 1 && findings.waiting == 0)
                #expect(claim.operation.id == stuck.operation.id)
                #expect(claim.operation.fencingToken == stuck.operation.fencingToken + 1)
                #expect(claim.operation.attempts == stuck.operation.attempts + 1)
                #expect(claim.operation.isAmbiguous)
                #expect(claim.operation.bankKey == stuck.operation.bankKey)
                #expect(claim.operation.leaseUntil == findings.now.advanced(by: StoreScene<Subject>.longLease))
                #expect(claim.payment == stuck.payment)
                #expect(try await scene.view(stuck.payment.id).operations.last == claim.operation)
                #expect(try await scene.check().count == 0)

                let late = StoreScene<Subject>.success(stuck)
                #expect(try await scene.store.complete(late) == .superseded)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                try await scene.expectLegalHistory(stuck.payment.id)
            },
            StoreCheck("what is leased, resting, completed or under manual review is not claimed") { scene in
                let leased = try await scene.authorized()
                _ = try await scene.claimed(scene.command(.capture(amount: nil), leased.id))
                let resting = try await scene.stuckCapture()
                let rest = OperationResult.resting(
                    resting,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .seconds(600)
                )
                #expect(try await scene.store.complete(rest) == .completed)
                let attention = try await scene.stuckCapture()
                let given = OperationResult.needsAttention(attention, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                let completed = try await scene.stuckCapture()
                #expect(try await scene.store.complete(StoreScene<Subject>.success(completed)) == .completed)
                for _ in 0..<8 {
                    #expect(try await scene.check().claims.isEmpty)
                    try await scene.subject.pass(.milliseconds(25))
                }
                let backlog = try await scene.sweeps.backlog()
                #expect(backlog.open[.capture] == 2)
                #expect(backlog.outboxOldest == .zero)
            },
            StoreCheck("an authorize whose lease has run out is taken over to be asked by its key, as no attempt") {
                scene in
                let stuck = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease)
                let claim = try #require(try await scene.checkUntilDue().claims.first)
                #expect(claim.operation.state == .unknown)
                #expect(claim.operation.fencingToken == stuck.operation.fencingToken + 1)
                #expect(claim.operation.attempts == stuck.operation.attempts)
                // Its holder may have sent its request.
                #expect(claim.operation.sends == EarlierSends(unanswered: 1))
                #expect(try await scene.view(stuck.payment.id).operations == [claim.operation])
                #expect(try await scene.check().count == 0)
                // What is learnt is written, and where nothing is, its delivery may come back at any time.
                let rest = OperationResult.resting(
                    claim,
                    reason: "key_unknown",
                    sends: claim.operation.sends,
                    rest: .zero
                )
                #expect(try await scene.store.complete(rest) == .completed)
            },
            StoreCheck(
                "a late answer completes what rests under its fencing token, and nothing that has been taken since"
            ) {
                scene in
                let payment = try await scene.authorized()
                let capture = try scene.command(.capture(amount: nil), payment.id)
                let first = try await scene.claimed(capture)
                let rest = OperationResult.resting(
                    first,
                    reason: "timed_out",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                #expect(try await scene.store.complete(rest) == .completed)
                let second = try await scene.claimed(capture)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(first)) == .superseded)
                let again = OperationResult.resting(
                    second,
                    reason: "timed_out",
                    sends: EarlierSends(unanswered: 2),
                    rest: .seconds(60)
                )
                #expect(try await scene.store.complete(again) == .completed)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(second)) == .completed)
                #expect(try await scene.view(payment.id).payment.status == .captured)
            },
            StoreCheck("an authorize is claimed, to be given up, when its time is over") { scene in
                let stuck = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease)
                var policy = SweepPolicy()
                policy.abandonAfter = .milliseconds(30)
                let claim = try #require(try await scene.checkUntilDue(policy: policy).claims.first)
                #expect(claim.operation.id == stuck.operation.id)
                #expect(claim.operation.fencingToken == 2)
            },
            StoreCheck("what has ended and was not reported is reported by a check, once") { scene in
                let claim = try await scene.stuckCapture()
                let result = StoreScene<Subject>.success(claim)
                #expect(try await scene.store.complete(result) == .completed)
                let findings = try await scene.checkUntilNotified()
                #expect(findings.notified == 1 && findings.claims.isEmpty)
                let operation = try #require(try await scene.view(claim.payment.id).operations.last)
                #expect(operation.isNotified)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content) == result.notifiedByOutbox(claim).outbox)
                #expect(entries.map(\.content.destination) == [.replies(nil), .event(.captured)])
                try await scene.expectNothingToNotify()
            },
            StoreCheck("what needs manual review, and was not reported, is reported by a check") { scene in
                let claim = try await scene.stuckCapture()
                let given = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                #expect(try await scene.checkUntilNotified().notified == 1)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content) == given.notifiedByOutbox(claim).outbox)
                try await scene.expectNothingToNotify()
            },
            StoreCheck(
                "what the broker's dead letter has opened is reported by a check, without a dead letter of its own"
            ) {
                scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                _ = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                try await scene.subject.pass(.milliseconds(100))
                #expect(
                    try await scene.store.keep(try scene.deadLetter(.capture, "a", command, origin: .unrouted))
                        == .stored
                )
                #expect(try await scene.checkUntilNotified().notified == 1)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content.destination) == [.replies(nil), .event(.needsAttention)])
                try await scene.expectNothingToNotify()
            },
            StoreCheck("a dead letter of another command under the same key is no dead letter of it") { scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(command, lease: StoreScene<Subject>.shortLease)
                let given = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                #expect(
                    try await scene.store.keep(try scene.deadLetter(.void, "a", command, origin: .unrouted)) == .stored
                )
                #expect(try await scene.checkUntilNotified().notified == 1)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content.destination) == [.replies(nil), .event(.needsAttention), .deadLetters])
            },
            StoreCheck("what was reported is left alone: by a note, or by the commit that completed it") { scene in
                let (noted, relayed) = (try await scene.stuckCapture(), try await scene.stuckCapture())
                let result = StoreScene<Subject>.success(noted)
                #expect(try await scene.store.complete(result) == .completed)
                let notified = StoreScene<Subject>.success(relayed).notifiedByOutbox(relayed)
                #expect(try await scene.store.complete(notified) == .completed)
                #expect(try await scene.view(noted.payment.id).operations.last?.isNotified == false)
                #expect(try await scene.view(relayed.payment.id).operations.last?.isNotified == true)
                for _ in 0..<2 { try await scene.store.recordNotified(result.operation, isUndeliverable: false) }
                #expect(try await scene.view(noted.payment.id).operations.last?.isNotified == true)
                // What the commit wrote, and nothing more.
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content) == notified.outbox)
                try await scene.expectNothingToNotify()
            },
            StoreCheck("a note of an attempt that another has followed says nothing") { scene in
                let first = try await scene.stuckCapture()
                let given = OperationResult.needsAttention(first, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                // Under the fencing token of the first attempt, and as it had ended otherwise.
                var (old, other) = (given.operation, given.operation)
                old.fencingToken -= 1
                other.state = .succeeded
                for operation in [old, other] {
                    try await scene.store.recordNotified(operation, isUndeliverable: true)
                }
                #expect(try await scene.view(first.payment.id).operations.last?.isNotified == false)
                try await scene.store.recordNotified(given.operation, isUndeliverable: false)
                #expect(try await scene.view(first.payment.id).operations.last?.isNotified == true)
            },
            StoreCheck("a rejection that was stored by a claim, and not reported, is reported by a check") { scene in
                let payment = try await scene.authorized()
                let rejected = try await scene.completed(
                    scene.command(.refund(amount: nil), payment.id),
                    isReplay: false
                )
                #expect(try await scene.checkUntilNotified().notified == 1)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content.message.body) == [try #require(rejected.reply)])
            },
            StoreCheck("rows that nobody can resolve do not fill the checks of those behind them") { scene in
                for _ in 0..<6 { _ = try await scene.claimed(scene.authorize(), lease: StoreScene<Subject>.shortLease) }
                let stuck = try await scene.stuckCapture()
                var (captures, others) = ([Claim](), 0)
                while captures.isEmpty {
                    let findings = try await scene.checkUntilDue(limit: 2)
                    #expect(findings.count <= 2)
                    captures += findings.claims.filter { $0.operation.kind == .capture }
                    others += findings.claims.count { $0.operation.kind == .authorize }
                    #expect(others <= 6)
                }
                #expect(captures.map(\.operation.id) == [stuck.operation.id])
            },
            StoreCheck("checks at the same time share what is due") { scene in
                for _ in 0..<24 { _ = try await scene.stuckCapture() }
                for _ in 0..<8 { try await scene.subject.pass(.milliseconds(25)) }
                let claims = try await withThrowingTaskGroup(of: [Claim].self) { group in
                    for _ in 0..<6 { group.addTask { try await scene.check(limit: 10).claims } }
                    return try await group.reduce(into: [Claim]()) { $0 += $1 }
                }
                let rest = try await scene.check().claims
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
                #expect(try await scene.check().count == 2)
            },
        ]
    }
}

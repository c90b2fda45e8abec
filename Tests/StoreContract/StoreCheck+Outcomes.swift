import Core
import Testing

extension StoreCheck {
    /// What becomes of the payment (docs/correctness.md#states).
    static var outcomes: [StoreCheck] {
        [
            StoreCheck("a declined authorize leaves a failed payment") { scene in
                let command = try scene.authorize()
                try await scene.decline(command, code: "insufficient_funds", leaves: .failed)
                let operation = try await scene.completed(command, isReplay: true)
                #expect(operation.state == .declined)
            },
            StoreCheck("a declined capture gives the payment back as authorized, free for a void") { scene in
                let payment = try await scene.authorized()
                try await scene.decline(
                    scene.command(.capture(amount: nil), payment.id),
                    code: "authorization_already_used",
                    leaves: .authorized
                )
                let voided = try await scene.succeeded(try scene.command(.void, payment.id))
                #expect(voided.status == .voided)
                try await scene.expectLegalHistory(payment.id)
            },
            StoreCheck("a capture of an expired authorization leaves it expired, and a void of that is allowed") {
                scene in
                let payment = try await scene.authorized()
                try await scene.decline(
                    scene.command(.capture(amount: 5_000), payment.id),
                    code: "authorization_expired",
                    expired: true,
                    leaves: .expired
                )
                let claim = try await scene.claimed(try scene.command(.void, payment.id))
                #expect(claim.operation.origin == .expired)
                let declined = StoreScene<Subject>.decline(claim, code: "authorization_already_used")
                #expect(try await scene.store.complete(declined) == .completed)
                #expect(try await scene.view(payment.id).payment.status == .expired)
                let voided = try await scene.succeeded(try scene.command(.void, payment.id))
                #expect(voided.status == .voided)
                #expect(voided.voidedAt == StoreScene<Subject>.bankTime)
                try await scene.expectLegalHistory(payment.id)
            },
            StoreCheck("a declined refund gives the payment back as captured, and a refund may follow") { scene in
                let payment = try await scene.authorized()
                _ = try await scene.succeeded(try scene.command(.capture(amount: nil), payment.id))
                try await scene.decline(
                    scene.command(.refund(amount: nil), payment.id),
                    code: "already_refunded",
                    leaves: .captured
                )
                let refunded = try await scene.succeeded(try scene.command(.refund(amount: nil), payment.id))
                #expect(refunded.status == .refunded)
                #expect(refunded.capturedAt == StoreScene<Subject>.bankTime)
                #expect(refunded.refundedAt == StoreScene<Subject>.bankTime)
                let view = try await scene.view(payment.id)
                #expect(view.payment == refunded)
                #expect(view.operations.map(\.kind) == [.authorize, .capture, .refund, .refund])
                #expect(view.operations.map(\.state) == [.succeeded, .succeeded, .declined, .succeeded])
                try await scene.expectLegalHistory(payment.id)
            },
            StoreCheck("a resting key waits, then is claimed with its ambiguity kept") { scene in
                for ambiguousSends in [0, 1, 3] {
                    let command = try scene.authorize()
                    let first = try await scene.claimed(command)
                    let resting = OperationResult.resting(
                        first,
                        reason: "timeout",
                        sends: EarlierSends(unanswered: ambiguousSends),
                        rest: .seconds(600)
                    )
                    #expect(try await scene.store.complete(resting) == .completed)
                    #expect(try await scene.claim(command).heldKey != nil)
                    let operation = try #require(try await scene.view(command.paymentID).operations.first)
                    #expect(operation.state == .unknown)
                    #expect(operation.lastError == "timeout")
                    #expect(operation.sends.unanswered == ambiguousSends)

                    let next = try scene.authorize()
                    let resting2 = OperationResult.resting(
                        try await scene.claimed(next),
                        reason: "timeout",
                        sends: EarlierSends(unanswered: ambiguousSends),
                        rest: .milliseconds(50)
                    )
                    #expect(try await scene.store.complete(resting2) == .completed)
                    let second = try await scene.claimedWhenFree(next)
                    #expect(second.operation.fencingToken == 2)
                    #expect(second.operation.attempts == 2)
                    #expect(second.operation.sends.unanswered == ambiguousSends)
                    #expect(second.payment.status == .pending)
                }
            },
            StoreCheck("what needs attention says so, to everyone who asks") { scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(command)
                let result = OperationResult.needsAttention(
                    claim,
                    reason: "bank_echoed_other_amount",
                    sends: EarlierSends(unanswered: 2)
                )
                #expect(try await scene.store.complete(result) == .completed)
                for _ in 0..<2 {
                    guard case .needsAttention(let operation, let held) = try await scene.claim(command) else {
                        Issue.record("it does not need attention")
                        return
                    }
                    #expect(operation.state == .needsAttention)
                    #expect(operation.lastError == "bank_echoed_other_amount")
                    #expect(operation.sends.unanswered == 2)
                    #expect(held?.status == .capturing)
                }
                #expect(try await scene.claim(scene.command(.void, payment.id)).isWaitForPayment)
            },
        ]
    }
}

extension StoreScene {
    func decline(_ command: Command, code: String, expired: Bool = false, leaves status: PaymentStatus) async throws {
        let result = Self.decline(try await claimed(command), code: code, expired: expired)
        #expect(try await store.complete(result) == .completed)
        let view = try await view(command.paymentID)
        #expect(view.payment == result.payment)
        #expect(view.payment.status == status)
        #expect(view.payment.activeOperation == nil)
        #expect(try await completed(command, isReplay: true).reply == result.operation.reply)
    }

    /// docs/correctness.md#legal-history: a path through the state machine from its start, one row for every version.
    func expectLegalHistory(_ payment: PaymentID) async throws {
        let view = try await view(payment)
        let steps = view.history.filter { $0.from != $0.to }
        #expect(steps.first?.from == nil)
        #expect(steps.first?.to == .pending)
        #expect(steps.last?.to == view.payment.status)
        #expect(Int64(steps.count) == view.payment.version)
        for (before, after) in zip(steps, steps.dropFirst()) {
            #expect(after.from == before.to)
            #expect(before.to.mayBecome(after.to))
            #expect(before.at <= after.at)
            #expect(!after.cause.isEmpty)
        }
    }
}

extension ClaimOutcome {
    var isWaitForPayment: Bool { if case .wait = self { true } else { false } }

    var isClaimed: Bool { if case .claimed = self { true } else { false } }
}

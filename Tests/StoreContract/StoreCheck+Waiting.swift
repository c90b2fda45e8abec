import Core
import Testing

extension StoreCheck {
    /// docs/correctness.md#busy-payment
    static var waiting: [StoreCheck] {
        [
            StoreCheck("a void waits while a capture holds the payment, and is rejected after it") { scene in
                let payment = try await scene.authorized()
                let claim = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                let void = try scene.command(.void, payment.id)
                #expect(try await scene.claim(void) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.claim(void) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                #expect(try await scene.completed(void, isReplay: false).state == .rejected)
            },
            StoreCheck("a void waits while a capture holds the payment, and is claimed where that was declined") {
                scene in
                let payment = try await scene.authorized()
                let claim = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                let void = try scene.command(.void, payment.id)
                #expect(try await scene.claim(void).isWaitForPayment)
                let declined = StoreScene<Subject>.decline(claim, code: "authorization_already_used")
                #expect(try await scene.store.complete(declined) == .completed)
                #expect(try await scene.claim(void).isClaimed)
            },
            StoreCheck("a capture waits for the authorize that is in flight, then is claimed") { scene in
                let authorize = try scene.authorize()
                let claim = try await scene.claimed(authorize)
                let capture = try scene.command(.capture(amount: 5_000), authorize.paymentID)
                #expect(try await scene.claim(capture) == .wait(.paymentInProgress, claim.payment))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                #expect(try await scene.claim(capture).isClaimed)
            },
            StoreCheck("a payment stays held through the lease and the rest of its holder") { scene in
                let payment = try await scene.authorized()
                let capture = try scene.command(.capture(amount: nil), payment.id)
                let void = try scene.command(.void, payment.id)
                _ = try await scene.claimed(capture, lease: StoreScene<Subject>.shortLease)
                let second = try await scene.claimedWhenFree(capture)
                #expect(try await scene.claim(void).isWaitForPayment)
                let resting = OperationResult.resting(
                    second,
                    reason: "timeout",
                    sends: EarlierSends(unanswered: 1),
                    rest: .zero
                )
                #expect(try await scene.store.complete(resting) == .completed)
                #expect(try await scene.claim(void).isWaitForPayment)
            },
        ]
    }
}

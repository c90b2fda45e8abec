import Core
import Testing

extension StoreCheck {
    static var expiries: [StoreCheck] {
        [
            StoreCheck("an authorization is due when it has expired by the bank's clock, and not before") { scene in
                let payment = try await scene.authorized()
                let expiresAt = try #require(payment.expiresAt)
                let before = try await scene.checkAuthorizations(expiredBy: expiresAt.advanced(by: .seconds(-1)))
                #expect(before.count == 0)
                let due = try await scene.checkAuthorizations(expiredBy: expiresAt)
                #expect(due.needingCheck == [payment])
                // Checked: due later.
                #expect(try await scene.checkAuthorizations(expiredBy: expiresAt).count == 0)
                let later = expiresAt.advanced(by: .seconds(3_600))
                #expect(try await scene.checkAuthorizations(expiredBy: later).needingCheck == [payment])
            },
            StoreCheck("one with an operation under way waits, and one that has come to an end is forgotten") { scene in
                let held = try await scene.authorized()
                _ = try await scene.claimed(scene.command(.capture(amount: nil), held.id))
                let voided = try await scene.authorized()
                _ = try await scene.succeeded(scene.command(.void, voided.id))
                let far = Timestamp(microseconds: 4_000_000_000_000_000)
                let findings = try await scene.checkAuthorizations(expiredBy: far)
                #expect(findings.waiting == 1 && findings.forgotten == 1 && findings.needingCheck.isEmpty)
                let much = far.advanced(by: .seconds(86_400))
                #expect(try await scene.checkAuthorizations(expiredBy: much).count == 1)
            },
            StoreCheck("an expiry is written once, with its event, and leaves a legal history") { scene in
                let payment = try await scene.authorized()
                let proof = try StoreScene<Subject>.proof(payment)
                #expect(try await scene.sweeps.expire(proof) == true)
                #expect(try await scene.sweeps.expire(proof) == false)
                let view = try await scene.view(payment.id)
                #expect(view.payment.status == .expired)
                #expect(view.payment.version == payment.version + 1)
                #expect(view.payment.activeOperation == nil)
                try await scene.expectLegalHistory(payment.id)
                let entries = try await scene.sweeps.take(limit: 10, hold: .seconds(60))
                #expect(entries.map(\.content.destination) == [.event(.expired)])
                let operation = try #require(view.operations.first)
                let event = PaymentEvent(expired: view.payment, operation: operation.id)
                #expect(entries.first?.content.message == event.message)
                // Allowed still (docs/contract.md#commands).
                #expect(try await scene.succeeded(scene.command(.void, payment.id)).status == .voided)
            },
            StoreCheck("an expiry is refused while an operation is under way, and after it") { scene in
                let payment = try await scene.authorized()
                let proof = try StoreScene<Subject>.proof(payment)
                let claim = try await scene.claimed(scene.command(.capture(amount: nil), payment.id))
                #expect(try await scene.sweeps.expire(proof) == false)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                #expect(try await scene.sweeps.expire(proof) == false)
                #expect(try await scene.view(payment.id).payment.status == .captured)
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 0)
            },
            StoreCheck("what has expired is to be voided where that is wanted") { scene in
                let payment = try await scene.authorized()
                #expect(try await scene.sweeps.expire(StoreScene<Subject>.proof(payment)) == true)
                let expiresAt = try #require(payment.expiresAt)
                let findings = try await scene.checkAuthorizations(expiredBy: expiresAt, voids: true)
                #expect(findings.voidable.map(\.id) == [payment.id])
                let far = expiresAt.advanced(by: .seconds(86_400))
                #expect(try await scene.checkAuthorizations(expiredBy: far).forgotten == 1)
                #expect(try await scene.checkAuthorizations(expiredBy: far, voids: true).count == 0)
            },
        ]
    }
}

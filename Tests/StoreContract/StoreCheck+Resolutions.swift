import Core
import Testing

extension StoreCheck {
    /// Of operations that an operator ends.
    static var resolutions: [StoreCheck] {
        [
            StoreCheck(
                "what needs manual review is taken under a higher fencing token and a lease, once, and then completed"
            ) {
                scene in
                let claim = try await scene.needingReview()
                let seen = try await scene.last(of: claim)
                let token = ClaimToken(.random)
                let taken = try #require(try await scene.take(seen, by: token))
                #expect(taken.operation.state == .sent && taken.operation.fencingToken == seen.fencingToken + 1)
                #expect(taken.operation.claimToken == token && taken.operation.leaseUntil >= seen.leaseUntil)
                #expect(taken.operation.bankKey == seen.bankKey && taken.operation.sends == seen.sends)
                #expect(taken.payment == claim.payment)
                #expect(try await scene.last(of: claim) == taken.operation)
                // The same again, after a commit whose answer was lost; nobody else's.
                #expect(try await scene.take(seen, by: token) == taken)
                #expect(try await scene.take(seen) == nil)
                #expect(try await scene.take(taken.operation) == nil)

                #expect(try await scene.store.complete(StoreScene<Subject>.success(taken)) == .completed)
                #expect(try await scene.view(claim.payment.id).payment.status == .captured)
                #expect(try await scene.take(seen, by: token) == nil)
            },
            StoreCheck("what does not need manual review is not taken, nor what has changed since it was checked") {
                scene in
                let leased = try await scene.stuckCapture()
                #expect(try await scene.take(leased.operation) == nil)
                let payment = try await scene.authorized()
                let completed = try #require(try await scene.view(payment.id).operations.last)
                #expect(try await scene.take(completed) == nil)
                let claim = try await scene.needingReview()
                var older = try await scene.last(of: claim)
                older.fencingToken -= 1
                #expect(try await scene.take(older) == nil)
                #expect(try await scene.last(of: claim).state == .needsAttention)
            },
            StoreCheck("what was taken and is nobody's any more is found by a check after its lease") { scene in
                let claim = try await scene.needingReview()
                let seen = try await scene.last(of: claim)
                let taken = try #require(try await scene.take(seen, lease: StoreScene<Subject>.shortLease))
                let found = try #require(try await scene.checkUntilClaimed().claims.first)
                #expect(found.operation.id == seen.id && found.operation.fencingToken == seen.fencingToken + 2)
                #expect(try await scene.store.complete(StoreScene<Subject>.success(taken)) == .superseded)
            },
            StoreCheck("what is given back needs manual review as before, and is not reported again") { scene in
                let claim = try await scene.needingReview()
                let seen = try await scene.last(of: claim)
                let taken = try #require(try await scene.take(seen))
                #expect(taken.operation.isNotified)
                #expect(try await scene.store.complete(.givenBack(taken)) == .completed)
                let back = try await scene.last(of: claim)
                #expect(back.state == .needsAttention && back.isNotified && back.lastError == seen.lastError)
                #expect(back.fencingToken == seen.fencingToken + 1)
                // What it had told before it was taken.
                #expect(try await scene.sweeps.take(limit: 10, hold: .seconds(60)).count == 3)
                try await scene.expectNothingToNotify()
            },
            StoreCheck("the owner of an id of the bank is its payment, of any kind of effect") { scene in
                let payment = try await scene.authorized()
                let captured = try await scene.succeeded(scene.command(.capture(amount: nil), payment.id))
                for id in [captured.bank.authorizationID, captured.bank.captureID] {
                    #expect(try await scene.store.owner(ofBankID: try #require(id)) == payment.id)
                }
                #expect(try await scene.store.owner(ofBankID: "cap_\(UniqueID.random)") == nil)
            },
            StoreCheck("a discarded dead letter tells of its operation while that needs manual review") { scene in
                let payment = try await scene.authorized()
                let command = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(command)
                let given = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
                #expect(try await scene.store.complete(given) == .completed)
                let (own, other) = (
                    try scene.deadLetter(.capture, "a", command), try scene.deadLetter(.void, "b", command)
                )
                for deadLetter in [own, other] { _ = try await scene.store.keep(deadLetter) }
                let outcome = try await scene.store.discard(own.id, by: "op", reason: "r")
                #expect(outcome == .discarded(leaving: own.command))
                // Of another command under the same key.
                #expect(try await scene.store.discard(other.id, by: "op", reason: "r") == .discarded(leaving: nil))

                let taken = try #require(try await scene.take(try await scene.last(of: claim)))
                #expect(try await scene.store.complete(StoreScene<Subject>.success(taken)) == .completed)
                let late = try scene.deadLetter(.capture, "c", command)
                _ = try await scene.store.keep(late)
                #expect(try await scene.store.discard(late.id, by: "op", reason: "r") == .discarded(leaving: nil))
            },
        ]
    }
}

extension StoreScene {
    /// A capture that needs manual review, and is reported.
    fileprivate func needingReview() async throws -> Claim {
        let payment = try await authorized()
        let claim = try await claimed(command(.capture(amount: nil), payment.id))
        let given = OperationResult.needsAttention(claim, reason: "r", sends: EarlierSends(unanswered: 1))
        #expect(try await store.complete(given.notifiedByOutbox(claim)) == .completed)
        return claim
    }

    fileprivate func last(of claim: Claim) async throws -> Operation {
        try #require(try await view(claim.payment.id).operations.last)
    }

    fileprivate func take(
        _ seen: Operation,
        by token: ClaimToken = ClaimToken(.random),
        lease: Duration = Self.longLease
    ) async throws -> Claim? {
        try await store.takeForResolution(seen, by: token, lease: lease)
    }

    /// Checks again and again, until a check takes something over.
    fileprivate func checkUntilClaimed() async throws -> OpenFindings {
        for _ in 0..<400 {
            let findings = try await check()
            if !findings.claims.isEmpty { return findings }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever taken over")
        throw Unexpected()
    }
}

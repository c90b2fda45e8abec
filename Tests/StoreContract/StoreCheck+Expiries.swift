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

extension StoreCheck {
    /// Of authorizations that may have left a second hold.
    static var orphans: [StoreCheck] {
        [
            StoreCheck("possible orphans are listed newest first, page by page, each with its grade") { scene in
                var expected: [PaymentID] = []
                var grades: [PaymentID: PossibleOrphan] = [:]
                for orphan in [PossibleOrphan.suspected, .unlikely, .suspected, .unlikely, .suspected] {
                    let payment = try await scene.orphan(orphan)
                    expected.insert(payment.id, at: 0)
                    grades[payment.id] = orphan
                    try await scene.subject.pass(.milliseconds(2))
                }
                _ = try await scene.authorized()
                let whole = try await scene.orphans(limit: 200)
                #expect(whole.payments.map(\.id) == expected)
                #expect(whole.orphans == grades && whole.next == nil)

                var collected: [PaymentID] = []
                var cursor: PageCursor?
                for _ in 0..<expected.count {
                    let page = try await scene.orphans(limit: 2, after: cursor)
                    collected += page.payments.map(\.id)
                    #expect(Set(page.orphans.keys) == Set(page.payments.map(\.id)))
                    cursor = try page.next.map { try #require(PageCursor($0.description)) }
                    if cursor == nil { break }
                }
                #expect(collected == expected)
            },
            StoreCheck("they are of every merchant, or of one") { scene in
                let other = StoreScene(subject: scene.subject)
                let (ours, theirs) = (try await scene.orphan(.suspected), try await other.orphan(.suspected))
                #expect(try await scene.orphans(limit: 200).payments.map(\.id) == [ours.id])
                let all = try await scene.orphans(limit: 200, merchant: nil)
                #expect(Set([ours.id, theirs.id]).isSubset(of: Set(all.payments.map(\.id))))
            },
            StoreCheck("a payment shows whether it is one, also where its authorize was declined") { scene in
                let payment = try await scene.orphan(.unlikely)
                #expect(try await scene.view(payment.id).orphan == .unlikely)
                #expect(try await scene.view(try await scene.authorized().id).orphan == nil)
                let claim = try await scene.claimed(scene.authorize())
                let declined = OperationResult.declined(
                    claim,
                    BankRefusal(code: "insufficient_funds", message: "no"),
                    BankResponse(status: 402, body: .json(.object(["error": .string("insufficient_funds")]))),
                    orphan: .suspected
                )
                #expect(try await scene.store.complete(declined) == .completed)
                let view = try await scene.view(claim.payment.id)
                #expect(view.payment.status == .failed && view.orphan == .suspected)
            },
        ]
    }
}

extension StoreScene {
    /// An authorized payment that may have left a second hold.
    fileprivate func orphan(_ orphan: PossibleOrphan) async throws -> Payment {
        let result = Self.success(try await claimed(authorize()), orphan: orphan)
        #expect(try await store.complete(result) == .completed)
        return try #require(result.payment)
    }

    /// - Parameter merchant: `nil` for all; otherwise the scene's own.
    fileprivate func orphans(
        limit: Int,
        after: PageCursor? = nil,
        merchant: MerchantID?
    ) async throws -> PaymentPage {
        try await store.payments(
            PaymentQuery(filter: .possibleOrphans, merchantID: merchant, limit: limit, after: after)
        )
    }

    fileprivate func orphans(limit: Int, after: PageCursor? = nil) async throws -> PaymentPage {
        try await orphans(limit: limit, after: after, merchant: merchant)
    }
}

extension StoreScene {
    var sweeps: Subject.Sweeps { subject.sweeps }

    func begins(_ run: SweepRunID, _ slot: SweepSlot) async throws -> Bool { try await sweeps.begin(run, slot) }

    func runs() async throws -> [SweepRun] { try await sweeps.runs(limit: 10) }

    func check(limit: Int = 100, dueBy: Timestamp? = nil, policy: SweepPolicy = SweepPolicy()) async throws
        -> OpenFindings
    {
        try await sweeps.check(
            OpenCheck(
                limit: limit,
                dueBy: dueBy,
                token: ClaimToken(.random),
                lease: Self.longLease,
                policy: policy,
                random: .random(in: 0 ... .max)
            )
        )
    }

    /// Checks again and again, until a check finds something.
    func checkUntilDue(policy: SweepPolicy = SweepPolicy(), limit: Int = 100) async throws -> OpenFindings {
        for _ in 0..<400 {
            let findings = try await check(limit: limit, policy: policy)
            if findings.count > 0 { return findings }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever due")
        throw Unexpected()
    }

    /// Checks that come back soon to what they could not resolve.
    private static var hastyPolicy: SweepPolicy {
        var policy = SweepPolicy()
        policy.pause = .milliseconds(40)
        return policy
    }

    /// Checks again and again, until a check tells something.
    func checkUntilNotified() async throws -> OpenFindings {
        for _ in 0..<400 {
            let findings = try await check(policy: Self.hastyPolicy)
            if findings.notified > 0 { return findings }
            try await subject.pass(.milliseconds(25))
        }
        Issue.record("nothing was ever told")
        throw Unexpected()
    }

    /// Checks until what was due is due no more, and expects that nothing comes of it.
    func expectNothingToNotify() async throws {
        for _ in 0..<12 {
            #expect(try await check(policy: Self.hastyPolicy).notified == 0)
            try await subject.pass(.milliseconds(25))
        }
        #expect(try await sweeps.take(limit: 10, hold: .seconds(60)).isEmpty)
    }

    /// A capture that its holder has left behind, with its lease run out soon.
    func stuckCapture() async throws -> Claim {
        let payment = try await authorized()
        return try await claimed(command(.capture(amount: nil), payment.id), lease: Self.shortLease)
    }

    func checkAuthorizations(
        expiredBy: Timestamp,
        voids: Bool = false,
        limit: Int = 100
    ) async throws -> AuthorizationFindings {
        try await sweeps.check(
            AuthorizationCheck(
                limit: limit,
                expiredBy: expiredBy,
                voidsExpired: voids,
                policy: SweepPolicy(),
                random: .random(in: 0 ... .max)
            )
        )
    }

    static func proof(_ payment: Payment) throws -> ExpiryProof {
        let expiresAt = try #require(payment.expiresAt)
        let body = JSONValue.object([
            "authorization_id": .optional(payment.bank.authorizationID), "expires_at": .string(expiresAt.description),
        ])
        let response = BankResponse(status: 200, body: .json(body), date: expiresAt.advanced(by: .seconds(1)))
        return try #require(ExpiryProof(payment, .response(response), grace: .zero))
    }
}

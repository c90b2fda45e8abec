import Core
import Testing

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

import Core
import Testing

extension StoreCheck {
    static var queries: [StoreCheck] {
        [
            StoreCheck("a payment that is not there is nil") { scene in
                let view = try await scene.store.payment(PaymentID(.random))
                #expect(view == nil)
            },
            StoreCheck("the payments of an order come newest first, page by page") { scene in
                let order = "order-\(UniqueID.random)"
                let payments = try await scene.payments(5, order: order, customer: "c")
                try await scene.expectPages(.order(order), payments.reversed())
            },
            StoreCheck("the payments of a customer come newest first, page by page") { scene in
                let customer = "customer-\(UniqueID.random)"
                let payments = try await scene.payments(5, order: "o", customer: customer)
                try await scene.expectPages(.customer(customer), payments.reversed())
            },
            StoreCheck("a list is of every merchant, or of one") { scene in
                let order = "order-\(UniqueID.random)"
                let other = StoreScene(subject: scene.subject)
                let ours = try await scene.payments(2, order: order, customer: "c")
                let theirs = try await other.payments(1, order: order, customer: "c")
                let all = try await scene.list(.order(order), merchant: nil, limit: 200, after: nil)
                #expect(Set(all.payments.map(\.id)) == Set((ours + theirs).map(\.id)))
                let filtered = try await scene.list(.order(order), merchant: other.merchant, limit: 200, after: nil)
                #expect(filtered.payments == theirs)
                #expect(filtered.next == nil)
            },
            StoreCheck("a list of nothing is an empty page") { scene in
                let page = try await scene.list(.order("none-\(UniqueID.random)"), limit: 10, after: nil)
                #expect(page == PaymentPage(payments: [], next: nil))
            },
        ]
    }
}

extension StoreScene {
    /// Oldest first, at different times.
    fileprivate func payments(_ count: Int, order: String, customer: String) async throws -> [Payment] {
        var payments: [Payment] = []
        for _ in 0..<count {
            payments.append(try await authorized(order: order, customer: customer))
            try await subject.pass(.milliseconds(2))
        }
        return payments
    }

    fileprivate func list(
        _ selection: PaymentQuery.Selection,
        merchant: MerchantID? = nil,
        limit: Int,
        after: PageCursor?
    ) async throws -> PaymentPage {
        try await store.payments(
            PaymentQuery(selection: selection, merchantID: merchant, limit: limit, after: after)
        )
    }

    fileprivate func expectPages(_ selection: PaymentQuery.Selection, _ expected: [Payment]) async throws {
        let whole = try await list(selection, limit: 200, after: nil)
        #expect(whole.payments == expected)
        #expect(whole.next == nil)
        let exact = try await list(selection, limit: expected.count, after: nil)
        #expect(exact.payments == expected)
        #expect(exact.next == nil)

        var collected: [Payment] = []
        var cursor: PageCursor?
        for _ in 0..<expected.count {
            let page = try await list(selection, limit: 2, after: cursor)
            collected += page.payments
            // Through its text form, as a client gives it back.
            cursor = try page.next.map { try #require(PageCursor($0.description)) }
            if cursor == nil { break }
            #expect(page.payments.count == 2)
        }
        #expect(collected == expected)
    }
}

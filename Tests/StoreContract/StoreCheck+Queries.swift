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
            StoreCheck("a payment is found by its key, its id at the bank and its time, each with the others") {
                scene in
                let payment = try await scene.authorized(order: "o-\(UniqueID.random)")
                let view = try #require(try await scene.store.payment(payment.id))
                let key = try #require(view.operations.first).idempotencyKey
                let bankID = try #require(payment.bank.authorizationID)
                let millisecond = Duration.milliseconds(1)
                var all = PaymentFilter()
                (all.idempotencyKey, all.bankID, all.orderID) = (key, bankID, payment.orderID)
                (all.since, all.until) = (payment.createdAt, payment.createdAt.advanced(by: millisecond))
                all.status = .authorized
                for (change, isFound) in [
                    ({ _ in }, true), ({ $0.status = .captured }, false), ({ $0.status = nil }, true),
                    ({ $0.bankID = "none" }, false), ({ $0.bankID = nil }, true),
                    ({ $0.idempotencyKey = IdempotencyKey("none") }, false), ({ $0.idempotencyKey = nil }, true),
                    ({ $0.since = payment.createdAt.advanced(by: millisecond) }, false),
                    ({ $0.until = payment.createdAt }, false), ({ $0.orderID = "none" }, false),
                    ({ $0.orderID = nil }, true), ({ $0.customerID = "none" }, false),
                ] as [((inout PaymentFilter) -> Void, Bool)] {
                    var filter = all
                    change(&filter)
                    for merchant in [scene.merchant, nil] {
                        let page = try await scene.list(filter, merchant: merchant, limit: 10, after: nil)
                        #expect(page.payments == (isFound ? [payment] : []), "\(filter)")
                    }
                }
                let other = try await scene.list(all, merchant: MerchantID(verified: "nobody"), limit: 10, after: nil)
                #expect(other.payments.isEmpty)
            },
            StoreCheck("a payment is found by the message of a command that waits, or is a dead letter") { scene in
                let payment = try await scene.authorized()
                _ = try await scene.claimed(try scene.command(.capture(amount: nil), payment.id))
                let void = try scene.command(.void, payment.id)
                #expect(try await scene.claim(void).isWaitForPayment)
                let held = try await scene.authorized()
                let deadLetter = try scene.deadLetter(.void, "\(UniqueID.random)", try scene.command(.void, held.id))
                _ = try await scene.store.keep(deadLetter)
                let messages = [
                    (void.messageID, payment.id), (try #require(deadLetter.content.message.messageID), held.id),
                ]
                for (message, id) in messages {
                    var filter = PaymentFilter()
                    filter.messageID = message
                    #expect(try await scene.list(filter, limit: 10, after: nil).payments.map(\.id) == [id])
                }
            },
            StoreCheck(
                "a payment is found by the messages that have begun its operations, open or not, and by no other"
            ) {
                scene in
                let authorize = try scene.authorize()
                let payment = try await scene.succeeded(authorize)
                let capture = try scene.command(.capture(amount: nil), payment.id)
                let claim = try await scene.claimed(capture)
                _ = try await scene.succeeded(scene.authorize())
                for isOpen in [true, false] {
                    for message in [authorize.messageID, capture.messageID] {
                        var filter = PaymentFilter()
                        filter.messageID = message
                        let page = try await scene.list(filter, limit: 10, after: nil)
                        #expect(page.payments.map(\.id) == [payment.id], "open: \(isOpen)")
                    }
                    if isOpen {
                        #expect(try await scene.store.complete(StoreScene<Subject>.success(claim)) == .completed)
                    }
                }
                var filter = PaymentFilter()
                filter.messageID = "\(capture.messageID)x"
                #expect(try await scene.list(filter, limit: 10, after: nil).payments.isEmpty)
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
        _ filter: PaymentFilter,
        merchant: MerchantID? = nil,
        limit: Int,
        after: PageCursor?
    ) async throws -> PaymentPage {
        try await store.payments(
            PaymentQuery(filter: filter, merchantID: merchant, limit: limit, after: after)
        )
    }

    fileprivate func expectPages(_ filter: PaymentFilter, _ expected: [Payment]) async throws {
        let whole = try await list(filter, limit: 200, after: nil)
        #expect(whole.payments == expected)
        #expect(whole.next == nil)
        let exact = try await list(filter, limit: expected.count, after: nil)
        #expect(exact.payments == expected)
        #expect(exact.next == nil)

        var collected: [Payment] = []
        var cursor: PageCursor?
        for _ in 0..<expected.count {
            let page = try await list(filter, limit: 2, after: cursor)
            collected += page.payments
            // Through its text form, as a client gives it back.
            cursor = try page.next.map { try #require(PageCursor($0.description)) }
            if cursor == nil { break }
            #expect(page.payments.count == 2)
        }
        #expect(collected == expected)
    }
}

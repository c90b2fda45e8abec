import Core
import Testing

@testable import Processor
@testable import StoreContract

@Suite("The console's search in PostgreSQL", .serialized, .timeLimit(.minutes(5)))
struct ConsoleSearchTests {
    @Test("any id of a payment finds it among others, and says what kind of id it is where there are several")
    func everyID() async throws {
        try await ConsoleDatabase.with { database in
            let scene = database.scene
            for _ in 0..<5 { _ = try await scene.authorized(order: "order-other", customer: "customer-other") }
            let authorize = try scene.authorize(order: "order-x", customer: "customer-x")
            let payment = try await scene.succeeded(authorize)
            let (capture, refund) = (
                try scene.command(.capture(amount: nil), payment.id),
                try scene.command(.refund(amount: nil), payment.id)
            )
            let captured = try await scene.succeeded(capture)
            // It waits for the operation that is under way, so it has none of its own.
            _ = try await scene.claimed(refund)
            let waiting = try scene.command(.refund(amount: nil), payment.id)
            #expect(try await scene.claim(waiting).isWaitForPayment)
            let deadLetter = try scene.deadLetter(.capture, "\(UniqueID.random)", capture)
            _ = try await database.deadLetters.keep(deadLetter)

            let ids: [String?] = [
                payment.id.description, payment.id.description.uppercased(), "order-x", "customer-x",
                authorize.idempotencyKey.description, capture.idempotencyKey.description,
                payment.bank.authorizationID, captured.bank.captureID, waiting.messageID,
                deadLetter.content.message.messageID, authorize.messageID, capture.messageID, refund.messageID,
            ]
            for id in ids {
                let id = try #require(id)
                guard case .payment(let found) = try await database.search.find(id) else {
                    Issue.record("\(id) finds no payment")
                    continue
                }
                #expect(found == payment.id, "\(id)")
            }
            guard case .deadLetter(let found) = try await database.search.find(deadLetter.id.description) else {
                Issue.record("no dead letter")
                return
            }
            #expect(found == deadLetter.id)
            guard case .lists(let nothing) = try await database.search.find("order-") else {
                Issue.record("a part of an id finds something")
                return
            }
            #expect(nothing.isEmpty)
            guard case .lists(let several) = try await database.search.find("customer-other") else {
                Issue.record("five payments are one")
                return
            }
            #expect(several.map(\.kind) == [.customer])
            #expect(several.first?.page.payments.count == 5)
        }
    }

    @Test("an id that is an order of one payment and a key of another shows both")
    func ambiguousID() async throws {
        try await ConsoleDatabase.with { database in
            let key = try #require(IdempotencyKey("same"))
            let first = try await database.scene.succeeded(database.scene.authorize(key: key))
            let second = try await database.scene.authorized(order: "same")
            guard case .lists(let lists) = try await database.search.find("same") else {
                Issue.record("one of them")
                return
            }
            #expect(lists.map(\.kind) == [.order, .idempotencyKey])
            #expect(lists.map { $0.page.payments.map(\.id) } == [[second.id], [first.id]])
        }
    }

    @Test("by status, by time, by merchant, and by all of them")
    func filters() async throws {
        try await ConsoleDatabase.with { database in
            let scene = database.scene
            var payments: [Payment] = []
            for index in 0..<6 {
                let payment = try await scene.authorized()
                if index % 2 == 1 {
                    _ = try await scene.succeeded(try scene.command(.capture(amount: nil), payment.id))
                }
                payments.append(payment)
                try await database.execute(
                    "UPDATE payments SET created_at = '2026-01-31 12:00:0\(index)+00' WHERE id = '\(payment.id)'"
                )
            }
            func found(_ merchant: MerchantID? = nil, _ change: (inout PaymentFilter) -> Void) async throws -> [Int] {
                var filter = PaymentFilter()
                change(&filter)
                let ids = try await database.pages(filter, merchant: merchant, limit: 50).flatMap(\.self)
                return ids.compactMap { id in payments.firstIndex { $0.id == id } }
            }
            func second(_ number: Int) throws -> Timestamp {
                try #require(Timestamp("2026-01-31T12:00:0\(number)Z"))
            }
            #expect(try await found { $0.status = .captured } == [5, 3, 1])
            #expect(try await found { $0.status = .authorized } == [4, 2, 0])
            #expect(try await found { $0.status = .refunded } == [])
            // From `since` on, before `until`.
            let (two, four) = (try second(2), try second(4))
            #expect(try await found { ($0.since, $0.until) = (two, four) } == [3, 2])
            #expect(try await found { $0.since = four } == [5, 4])
            #expect(try await found { $0.until = two } == [1, 0])
            #expect(try await found { ($0.since, $0.status) = (two, .captured) } == [5, 3])
            #expect(try await found(scene.merchant) { $0.status = .captured } == [5, 3, 1])
            #expect(try await found(MerchantID(verified: "nobody")) { $0.status = .captured } == [])
        }
    }

    @Test("paging loses nothing and shows nothing twice, also where all are of the same time")
    func pages() async throws {
        try await ConsoleDatabase.with { database in
            var all: Set<PaymentID> = []
            for _ in 0..<23 { all.insert(try await database.scene.authorized(customer: "customer-p").id) }
            try await database.setTime("created_at", of: "payments")
            try await database.execute(
                """
                INSERT INTO possible_orphans (payment_id, operation_id, grade, at)
                SELECT id, gen_random_uuid(), 'suspected', '2026-01-31 12:00:00+00' FROM payments
                """
            )
            let since = try #require(Timestamp("2026-01-31T12:00:00Z"))
            let changes: [(inout PaymentFilter) -> Void] = [
                { $0.customerID = "customer-p" }, { $0.status = .authorized }, { $0.since = since },
                { $0.isPossibleOrphans = true },
            ]
            for change in changes {
                var filter = PaymentFilter()
                change(&filter)
                let pages = try await database.pages(filter, limit: 5)
                #expect(pages.map(\.count) == [5, 5, 5, 5, 3], "\(filter)")
                #expect(Set(pages.flatMap(\.self)) == all, "\(filter)")
            }
        }
    }
}

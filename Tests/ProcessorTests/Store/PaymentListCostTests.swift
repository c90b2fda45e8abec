import Core
import Postgres
import Testing

@testable import Processor

@Suite("The cost of lists of payments", .serialized, .timeLimit(.minutes(5)))
struct PaymentListCostTests {
    private static let rows = 40_000

    @Test("every filter is answered by an index, from few pages, and a walk in vain ends where it may go on")
    func lists() async throws {
        try await TestDatabase.with { pools in
            for _ in 0..<10 { try await CompletedPayments(count: Self.rows / 10).write(to: pools.queries) }
            for (name, change, literals, limit) in Self.cases {
                var filter = PaymentFilter()
                change(&filter)
                let query = PaymentQuery(filter: filter, merchantID: nil, limit: 50, after: nil)
                let list = PaymentListStatement(query, reach: 1_000)
                #expect(list.parameters.count == literals.count, "\(name)")
                for statement in [list.sql, list.end?.sql].compactMap(\.self) {
                    var sql = statement
                    for (position, literal) in literals.enumerated().reversed() {
                        sql = sql.replacing("$\(position + 1)", with: literal)
                    }
                    let plan = try await ExplainedPlan(of: sql, on: pools.queries)
                    for table in ["payments", "operations", "bank_effects"] {
                        #expect(!plan.text.contains("Seq Scan on \(table)"), "\(name): \(plan.text)")
                    }
                    #expect(plan.pages <= limit, "\(name): \(plan.text)")
                }
            }
            var filter = PaymentFilter()
            filter.status = .failed
            let query = PaymentQuery(filter: filter, merchantID: nil, limit: 50, after: nil)
            let page = try await PostgresPaymentQueries(pool: pools.queries, reach: 1_000).payments(query)
            #expect(page.payments.isEmpty)
            #expect(page.next != nil)
            let rest = try await PostgresPaymentQueries(pool: pools.queries, reach: Self.rows).payments(query)
            #expect(rest.next == nil)
        }
    }

    @Test("page by page, a walk shows every payment once, however few of them match")
    func walk() async throws {
        try await TestDatabase.with { pools in
            for _ in 0..<5 { try await CompletedPayments(count: 10).write(to: pools.queries) }
            let queries = PostgresPaymentQueries(pool: pools.queries, reach: 7)
            for (status, count) in [(PaymentStatus.captured, 50), (.failed, 0)] {
                var filter = PaymentFilter()
                filter.status = status
                var seen: [PaymentID] = []
                var cursor: PageCursor?
                var pages = 0
                repeat {
                    let query = PaymentQuery(filter: filter, merchantID: nil, limit: 5, after: cursor)
                    let page = try await queries.payments(query)
                    seen += page.payments.map(\.id)
                    cursor = page.next
                    pages += 1
                } while cursor != nil && pages < 100
                #expect(seen.count == count)
                #expect(Set(seen).count == count)
                #expect(pages >= 7)
            }
        }
    }

    private static let cases: [(String, @Sendable (inout PaymentFilter) -> Void, [String], Int)] = [
        ("status", { $0.status = .failed }, ["'FAILED'", "51"], 1_500),
        ("key", { $0.idempotencyKey = IdempotencyKey("k") }, ["'k'", "51"], 60),
        ("bank id", { $0.bankID = "auth_1" }, ["'auth_1'", "51"], 60),
        ("message id", { $0.messageID = "m" }, ["'m'", "\(MessageSlot.hash("m"))", "51"], 60),
        ("order", { $0.orderID = "o-1" }, ["'o-1'", "51"], 60),
        ("customer", { $0.customerID = "c-1" }, ["'c-1'", "51"], 120),
        (
            "time",
            { filter in (filter.since, filter.until) = (Timestamp(microseconds: 0), Timestamp(microseconds: 1)) },
            ["'1970-01-01Z'::timestamptz", "'2100-01-01Z'::timestamptz", "51"], 120
        ),
    ]
}

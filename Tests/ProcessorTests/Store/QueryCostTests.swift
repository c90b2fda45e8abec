import Core
import Foundation
import Postgres
import Testing

@testable import Processor

/// What a sweep costs when there is nothing to do, beside so many completed payments: a tenth of a million, or what
/// SWEEP_TEST_ROWS says.
@Suite("The cost of idle sweeps", .serialized, .timeLimit(.minutes(10)))
struct SweepCostTests {
    private static let rows =
        ProcessInfo.processInfo.environment["SWEEP_TEST_ROWS"].flatMap { Int($0) } ?? 100_000

    @Test("it does not grow with the completed payments: every question is answered by an index, from few pages")
    func idle() async throws {
        try await TestDatabase.with { pools in
            let store = PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8)))
            // Plans of prepared statements are made while the tables are empty, and stay.
            _ = try await store.check(Self.check)
            _ = try await store.take(limit: 1, hold: .zero)
            for (name, statement) in Self.statements where name.contains("outbox") {
                let plan = try await ExplainedPlan(of: statement, on: pools.sweeps)
                #expect(
                    plan.text.contains("using outbox_waiting on outbox")
                        || plan.text.contains("using outbox_order on outbox")
                )
            }
            for _ in 0..<10 { try await CompletedPayments(count: Self.rows / 10).write(to: pools.queries) }
            #expect(try await store.check(Self.check).count == 0)

            for (name, statement) in Self.statements {
                let plan = try await ExplainedPlan(of: statement, on: pools.sweeps)
                print("\(name), beside \(Self.rows) completed payments:\n\(plan.text)\n")
                #expect(!plan.text.contains("Seq Scan on operations"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on payments"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on bank_effects"), "\(name)")
                #expect(!plan.text.contains("Seq Scan on outbox"), "\(name)")
                #expect(plan.pages <= 60, "\(name)")
            }
        }
    }

    static var check: OpenCheck {
        let token = ClaimToken(UniqueID(high: 1, low: 1))
        return OpenCheck(limit: 100, dueBy: nil, token: token, lease: .seconds(37), policy: SweepPolicy(), random: 1)
    }

    /// With the parameters in place: `EXPLAIN` takes none in this form.
    static let statements = [
        ("collecting what is open", PostgresPaymentStore.collectStatement),
        (
            "open operations that are due",
            OpenBatch.dueStatement.replacing("$1", with: "NULL::timestamptz").replacing("$2", with: "100")
        ),
        (
            "authorizations that are due",
            AuthorizationBatch.dueStatement.replacing("$1", with: "now()").replacing("$2", with: "100")
        ),
        (
            "the outbox",
            PostgresPaymentStore.takeStatement.replacing("$1", with: "100").replacing("$2", with: "60000000")
        ),
        ("the age of the outbox", PostgresPaymentStore.outboxAgeStatement),
        ("the ages of queues", PostgresPaymentStore.agesStatement),
        ("open operations", PostgresPaymentStore.openStatement),
        (
            "open dead letters",
            "SELECT code, count(*) FROM dead_letters WHERE state IN ('open', 'replaying') GROUP BY code"
        ),
    ]
}

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

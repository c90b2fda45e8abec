import Core
import Postgres
import Testing

@testable import Processor
@testable import StoreContract

/// A database of a test's own behind the questions of the console, with commands in it that have gone the usual way.
struct ConsoleDatabase: Sendable {
    typealias Scene = StoreScene<PostgresStoreContractTests.Subject>

    let pools: DatabasePools
    let scene: Scene

    var reading: PostgresConsoleQueries { PostgresConsoleQueries(pool: pools.queries) }
    var queries: PostgresPaymentQueries { scene.store.queries }
    var deadLetters: PostgresDeadLetterStore { scene.store.deadLetters }
    var search: PaymentSearch { PaymentSearch(queries: queries, deadLetters: deadLetters) }

    static func with(_ body: @Sendable (ConsoleDatabase) async throws -> Void) async throws {
        try await TestDatabase.with { pools in
            let store = PostgresStoreContractTests.Store(
                payments: PostgresPaymentStore(pools, fingerprinter: Fingerprinter(secret: Array("secret".utf8))),
                queries: PostgresPaymentQueries(pool: pools.queries),
                deadLetters: PostgresDeadLetterStore(pool: pools.queries)
            )
            let subject = PostgresStoreContractTests.Subject(
                store: store,
                members: PostgresMemberStore(pool: pools.watch)
            )
            try await body(ConsoleDatabase(pools: pools, scene: StoreScene(subject: subject)))
        }
    }

    func execute(_ sql: String) async throws {
        try await pools.queries.withConnection { connection throws(PostgresError) in try connection.executeScript(sql) }
    }

    func number(_ sql: String) async throws -> Int64 {
        try await pools.queries.withConnection { connection throws(PostgresError) in
            try connection.execute(sql).single().int64(0)
        }
    }

    /// Every row of a table at the same time: what a page has to tell apart by something else.
    func setTime(_ column: String, of table: String, to time: String = "2026-01-31 12:00:00+00") async throws {
        try await execute("UPDATE \(table) SET \(column) = '\(time)'")
    }

    /// A capture whose outcome nothing will tell, with the command that asked for it.
    func inReview(order: String = "order-1") async throws -> (payment: Payment, command: Command) {
        let payment = try await scene.authorized(order: order)
        let command = try scene.command(.capture(amount: nil), payment.id)
        let claim = try await scene.claimed(command)
        let result = OperationResult.needsAttention(claim, reason: "echo_differs", sends: EarlierSends(unanswered: 1))
        #expect(try await scene.store.complete(result) == .completed)
        return (payment, command)
    }

    /// All pages of a list, one after the other.
    func pages(_ filter: PaymentFilter, merchant: MerchantID? = nil, limit: Int) async throws -> [[PaymentID]] {
        var pages: [[PaymentID]] = []
        var cursor: PageCursor?
        repeat {
            let query = PaymentQuery(filter: filter, merchantID: merchant, limit: limit, after: cursor)
            let page = try await queries.payments(query)
            pages.append(page.payments.map(\.id))
            // As a link has it.
            cursor = try page.next.map { try #require(PageCursor($0.description)) }
        } while cursor != nil && pages.count < 100
        return pages
    }
}

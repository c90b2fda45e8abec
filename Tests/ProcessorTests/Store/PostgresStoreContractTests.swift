import Core
import Postgres
import StoreContract
import Synchronization
import TestSupport
import Testing

@testable import Processor

@Suite("The PostgreSQL store keeps the store contract", .serialized, .timeLimit(.minutes(5)))
struct PostgresStoreContractTests {
    /// Store and questions as one, as the contract asks for them.
    struct Store: PaymentStore, PaymentQueries {
        let payments: PostgresPaymentStore
        let queries: PostgresPaymentQueries

        func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
            try await payments.claim(request)
        }

        func settle(_ settlement: Settlement) async throws(StoreError) -> SettleOutcome {
            try await payments.settle(settlement)
        }

        func recordUndeliverable(_ operation: OperationID, of payment: PaymentID) async throws(StoreError) {
            try await payments.recordUndeliverable(operation, of: payment)
        }

        func payment(_ id: PaymentID) async throws(StoreError) -> PaymentView? {
            try await queries.payment(id)
        }

        func payments(_ query: PaymentQuery) async throws(StoreError) -> PaymentPage {
            try await queries.payments(query)
        }
    }

    struct Subject: StoreUnderTest {
        let store: Store

        /// The database's clock cannot be turned: real time has to pass.
        func pass(_ duration: Duration) async throws {
            try await Task.sleep(for: duration)
        }
    }

    @Test("every check", arguments: StoreCheck<Subject>.all)
    func check(_ check: StoreCheck<Subject>) async throws {
        try await TestDatabase.with { pools in
            let store = Store(
                payments: PostgresPaymentStore(
                    pools,
                    fingerprinter: Fingerprinter(secret: Array("secret".utf8))
                ),
                queries: PostgresPaymentQueries(pool: pools.queries)
            )
            try await check.run(on: Subject(store: store))
        }
    }
}

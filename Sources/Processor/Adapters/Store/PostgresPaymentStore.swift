import Core
import Postgres

/// The payment store over PostgreSQL: claims and settles of many commands share one transaction each.
struct PostgresPaymentStore: PaymentStore {
    private let claims: Coalescer<ClaimRequest, ClaimOutcome>
    private let settles: Coalescer<Settlement, SettleOutcome>
    private let queries: PostgresPool
    let sweeps: PostgresPool

    /// - Parameters:
    ///   - claimPool: used for claims only, so that they never wait behind settles, nor settles behind them.
    ///   - settlePool: used for settles only.
    ///   - sweepPool: used by the sweeps and the outbox.
    ///   - queryPool: for everything else.
    init(
        claimPool: PostgresPool,
        settlePool: PostgresPool,
        sweepPool: PostgresPool,
        queryPool: PostgresPool,
        fingerprinter: Fingerprinter
    ) {
        queries = queryPool
        sweeps = sweepPool
        claims = Coalescer(batchLimit: Self.batchLimit, flushLimit: claimPool.size) { requests in
            await BatchRunner(pool: claimPool).run(requests) { connection, requests throws(PostgresError) in
                try ClaimBatch(requests, fingerprinter: fingerprinter).run(on: connection)
            }
        }
        settles = Coalescer(batchLimit: Self.batchLimit, flushLimit: settlePool.size) { settlements in
            await BatchRunner(pool: settlePool).run(settlements) { connection, settlements throws(PostgresError) in
                try SettleBatch(settlements).run(on: connection)
            }
        }
    }

    /// Large enough that the cost of a commit hardly shows in that of a command, small enough that row locks are short.
    private static let batchLimit = 128

    /// The plans of the hot statements are made once and must suit tables of any size, empty ones too: always by the index.
    static let sessionSettings: [(name: String, value: String)] = [
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("enable_hashjoin", "off"),
        ("enable_mergejoin", "off"),
        ("jit", "off"),
    ]

    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome {
        try await claims.submit(request)
    }

    func settle(_ settlement: Settlement) async throws(StoreError) -> SettleOutcome {
        try await settles.submit(settlement)
    }

    func recordUndeliverable(_ operation: OperationID, of payment: PaymentID) async throws(StoreError) {
        try await queries.storeTransaction { connection throws(PostgresError) in
            _ = try connection.execute(
                """
                UPDATE operations SET undeliverable_at = coalesce(undeliverable_at, now())
                WHERE payment_id = $1 AND id = $2
                """,
                [.uuid(PostgresUUID(payment.value)), .uuid(PostgresUUID(operation.value))]
            )
        }
    }
}

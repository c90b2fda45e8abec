import Core
import Postgres

/// The payment store over PostgreSQL: claims and results of many commands share one transaction each.
struct PostgresPaymentStore: PaymentStore {
    private let claims: Coalescer<ClaimRequest, ClaimOutcome>
    private let endings: Coalescer<OperationEnding, CompletionOutcome>
    let registrations: Coalescer<Command, Void>
    let claimPool: PostgresPool
    let sweeps: PostgresPool
    let room: OutboxRoom

    /// - Parameters:
    ///   - claimPool: used for claims only, so that they never wait behind results, nor results behind them.
    ///   - resultPool: used for results, and for notes of what was reported.
    ///   - sweepPool: used by the sweeps and the outbox.
    ///   - executor: where commands run.
    ///   - report: gets the end of each transaction of claims, results and waiting commands.
    init(
        claimPool: PostgresPool,
        resultPool: PostgresPool,
        sweepPool: PostgresPool,
        fingerprinter: Fingerprinter,
        on executor: (any TaskExecutor)? = nil,
        report: @escaping @Sendable (StoreReport) -> Void = { _ in }
    ) {
        self.claimPool = claimPool
        sweeps = sweepPool
        let room = OutboxRoom()
        self.room = room
        claims = Coalescer(batchLimit: Self.batchLimit, flushLimit: claimPool.size, on: executor) { requests in
            await BatchRunner(pool: claimPool, purpose: .claims, report: report).run(requests) {
                connection,
                requests throws(PostgresError) in
                try ClaimBatch(requests, fingerprinter: fingerprinter).run(on: connection)
            }
        }
        registrations = Coalescer(batchLimit: Self.batchLimit, flushLimit: claimPool.size, on: executor) { commands in
            await BatchRunner(pool: claimPool, purpose: .registrations, report: report).run(commands) {
                connection,
                commands throws(PostgresError) in
                try WaitingLines.add(commands, on: connection)
                return commands.map { _ in () }
            }
        }
        endings = Coalescer(batchLimit: Self.batchLimit, flushLimit: resultPool.size, on: executor) { endings in
            await BatchRunner(pool: resultPool, purpose: .endings, report: report).run(endings) {
                connection,
                endings throws(PostgresError) in
                try ResultBatch.run(endings, room, on: connection)
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

    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome {
        try await endings.submit(.result(result))
    }

    func noteError(answering request: RequestOrigin) async throws(StoreError) {
        try await sweeps.storeTransaction { connection throws(PostgresError) in
            try FailedRequestNote(request).write(on: connection)
        }
    }

    func recordNotified(
        _ operation: Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError) {
        let note = NotificationRecord(operation: operation, isUndeliverable: isUndeliverable, events: events)
        _ = try await endings.submit(.notified(note))
    }
}

import AMQP
import Core
import ServiceLifecycle

/// The scheduled work, wired: for the service and for `processor sweeps`.
struct SweepParts: Sendable {
    let runner: SweepRunner
    let reconcile: ReconcileSweep
    let expire: ExpireSweep
    let policy: SweepPolicy
    /// Raised when a sweep has written to the outbox.
    let signal: WakeUpSignal

    init(
        _ configuration: ProcessorConfiguration,
        _ context: ProcessorContext,
        store: any SweepStore,
        bank: any BankQueries
    ) {
        var policy = SweepPolicy(batch: configuration.sweepBatch)
        policy.keepsSealedCards = configuration.sealedCardRetention
        let signal = WakeUpSignal()
        reconcile = ReconcileSweep(context, store: store, policy: policy, signal: signal)
        expire = ExpireSweep(
            context,
            store: store,
            bank: bank,
            policy: policy,
            grace: configuration.expireGrace,
            voidsExpired: configuration.voidsExpired,
            signal: signal
        )
        runner = SweepRunner(
            store: store,
            sweeps: [
                .reconcile: reconcile, .expire: expire,
                .retention: RetentionSweep(store: store, policy: policy),
            ],
            time: context.time,
            random: context.random,
            observer: context.observer
        )
        self.policy = policy
        self.signal = signal
    }
}

extension ProcessorConfiguration {
    var sweepPeriods: [SweepJob: Duration] {
        [.reconcile: self.reconcilePeriod, .expire: self.expirePeriod, .retention: self.retentionPeriod]
    }
}

/// Keeps the queue of the ticks subscribed, and the ticks coming: on every new connection anew, until the service shuts down;
/// then lets the sweeps under way come to a good moment to stop.
struct SweepSubscription: Sendable {
    let session: AMQPSession
    let names: BrokerNames
    let consumer: SweepConsumer
    let ticks: TickPublisher
    let steady: SteadyConsumer
    /// Told why a subscription ended before its time.
    let onFailure: @Sendable (any Error) -> Void

    /// A few ticks of each job; each is acknowledged at once.
    private static let prefetch: UInt16 = 16
    /// Between two attempts on a connection that is there.
    private static let pause = Duration.seconds(1)

    /// Returns when a graceful shutdown has come and no sweep runs any more, or the task is cancelled.
    func run() async {
        while !Task.isShuttingDownGracefully, !Task.isCancelled {
            do {
                let connection = try await cancelWhenGracefulShutdown { try await session.connection() }
                try await consume(from: connection)
            } catch {
                if Task.isShuttingDownGracefully || Task.isCancelled { return }
                onFailure(error)
                try? await cancelWhenGracefulShutdown { try await Task.sleep(for: Self.pause) }
            }
        }
    }

    private func consume(from connection: AMQPConnection) async throws {
        do {
            try await steady.run(
                names.sweeps,
                on: connection,
                prefetch: Self.prefetch,
                while: { !Task.isShuttingDownGracefully },
                body: { stream throws(AMQPError) in try await consume(stream) }
            )
        } catch {
            await connection.close()
            throw error
        }
    }

    private func consume(_ stream: AMQPConsumer) async throws(AMQPError) {
        let ending: Result<Void, AMQPError> = await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                defer { group.cancelAll() }
                group.addTask { await ticks.run() }
                do throws(AMQPError) {
                    return .success(try await consumer.consume(stream.map { BrokerDelivery($0) as any Delivery }))
                } catch {
                    return .failure(error)
                }
            }
        } onGracefulShutdown: {
            Task { try? await stream.cancel() }
        }
        try ending.get()
    }
}

/// What an operator does with sweeps: the same from the command line and from the console.
struct SweepControl: Sendable {
    let parts: SweepParts
    let store: any SweepStore
    let periods: [SweepJob: Duration]

    /// Without the bank's clock nothing can be said about what has expired.
    struct NoBankClock: Error, Hashable {
        static let explanation = "the bank does not tell its time; see bank.url (BANK_URL). Nothing was done"
    }

    /// - Parameter stop: looked at between two batches.
    /// - Throws: `NoBankClock` or `StoreError`.
    func report(_ job: SweepJob, isDryRun: Bool, until stop: StopFlag = StopFlag()) async throws -> SweepReport {
        let expiredBy = job == .expire ? await parts.expire.expiredBy() : nil
        if job == .expire, expiredBy == nil { throw NoBankClock() }
        guard isDryRun else { return try await parts.runner.run(job, until: stop) }
        return try await store.preview(job, parts.policy, expiredBy: expiredBy)
    }
}

import Core

/// The scheduled work, wired: for the service and for `processor sweeps`.
struct SweepParts: Sendable {
    let runner: SweepRunner
    let reconcile: ReconcileSweep
    let expire: ExpireSweep
    let policy: SweepPolicy
    /// Raised when a sweep has written to the outbox.
    let signal: WakeUpSignal

    init(
        _ configuration: SweepConfiguration,
        _ context: ProcessorContext,
        store: any SweepStore,
        bank: any BankQueries
    ) {
        var policy = SweepPolicy(batch: configuration.batch)
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

extension SweepConfiguration {
    var periods: [SweepJob: Duration] {
        [.reconcile: reconcilePeriod, .expire: expirePeriod, .retention: retentionPeriod]
    }
}

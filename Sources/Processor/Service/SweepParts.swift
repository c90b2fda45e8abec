import Core

/// The scheduled work, wired: for the service and for `processor sweeps`.
struct SweepParts: Sendable {
    let runner: SweepRunner
    let reconcile: ReconcileSweep
    let expire: ExpireSweep
    let policy: SweepPolicy
    /// Rings when a sweep has written to the outbox.
    let bell: OutboxBell

    init(
        _ configuration: SweepConfiguration,
        _ context: ProcessorContext,
        store: any SweepStore,
        bank: any BankQueries
    ) {
        let policy = SweepPolicy(batch: configuration.batch)
        let bell = OutboxBell()
        reconcile = ReconcileSweep(context, store: store, policy: policy, bell: bell)
        expire = ExpireSweep(
            context,
            store: store,
            bank: bank,
            policy: policy,
            grace: configuration.expireGrace,
            voidsExpired: configuration.voidsExpired,
            bell: bell
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
        self.bell = bell
    }
}

extension SweepConfiguration {
    var periods: [SweepJob: Duration] {
        [.reconcile: reconcilePeriod, .expire: expirePeriod, .retention: retentionPeriod]
    }
}

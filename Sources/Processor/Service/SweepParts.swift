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
        _ configuration: ProcessorConfiguration,
        store: PostgresPaymentStore,
        bank: any Bank & BankQueries,
        breaker: CircuitBreaker,
        observer: any ProcessorObserver
    ) {
        let (time, random, bell) = (SystemTime(), SystemRandom(), OutboxBell())
        let sweeps = configuration.sweeps
        let policy = SweepPolicy(batch: sweeps.batch)
        reconcile = ReconcileSweep(
            store: store,
            bank: bank,
            breaker: breaker,
            time: time,
            random: random,
            observer: observer,
            limits: configuration.limits,
            policy: policy,
            bell: bell
        )
        expire = ExpireSweep(
            store: store,
            bank: bank,
            breaker: breaker,
            time: time,
            random: random,
            observer: observer,
            limits: configuration.limits,
            policy: policy,
            grace: sweeps.expireGrace,
            voidsExpired: sweeps.voidsExpired,
            bell: bell
        )
        runner = SweepRunner(
            store: store,
            sweeps: [
                .reconcile: reconcile, .expire: expire,
                .retention: RetentionSweep(store: store, policy: policy),
            ],
            time: time,
            random: random,
            observer: observer
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

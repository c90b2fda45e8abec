import Core

extension ProcessPorts {
    /// The real thing, over these ports.
    func sweeper(_ context: ProcessorContext, _ signal: WakeUpSignal) -> SweepConsumer {
        let runner = SweepRunner(
            store: store,
            sweeps: [
                .reconcile: reconcile(context, signal), .expire: expire(context, signal),
                .retention: RetentionSweep(store: store, policy: sweeps.policy),
            ],
            time: time,
            random: random,
            observer: observer,
            policy: policy
        )
        return SweepConsumer(runner: runner, observer: observer)
    }

    func ticks() -> TickPublisher {
        TickPublisher(
            sink: sink,
            periods: sweeps.periods,
            time: time,
            random: random,
            observer: observer,
            policy: policy
        )
    }

    func relay(_ signal: WakeUpSignal) -> OutboxRelay {
        OutboxRelay(
            outbox: store,
            sink: sink,
            signal: signal,
            time: time,
            random: random,
            observer: observer,
            policy: policy,
            batch: sweeps.policy.batch,
            // Rarer than the real one: most of the time there is nothing to relay, and a world has many seconds.
            period: .seconds(15)
        )
    }

    private func reconcile(_ context: ProcessorContext, _ signal: WakeUpSignal) -> ReconcileSweep {
        ReconcileSweep(context, store: store, policy: sweeps.policy, signal: signal)
    }

    private func expire(_ context: ProcessorContext, _ signal: WakeUpSignal) -> ExpireSweep {
        ExpireSweep(
            context,
            store: store,
            bank: bank,
            policy: sweeps.policy,
            grace: sweeps.grace,
            voidsExpired: sweeps.voidsExpired,
            signal: signal
        )
    }
}

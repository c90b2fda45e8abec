package import Core

/// What one process sees of the world. A test may put something of its own before any of it.
package struct ProcessPorts: Sendable {
    package typealias Store = PaymentStore & SweepStore & Outbox & BankStatusStore & MemberStore

    package var store: any Store
    package var deadLetters: any DeadLetterIntake
    package var bank: any Bank & BankQueries
    package var sink: any MessageSink
    package var time: any TimeSource
    package var random: any RandomSource
    package var observer: any ProcessorObserver
    package var limits: HandlerLimits
    package var policy: RetryPolicy
    package var sweeps: SweepSettings
    package var fingerprinter: Fingerprinter
    /// Each delivery passes through here on its way to the consumer.
    package var receive: @Sendable (any Delivery) async -> any Delivery
    /// Whether it cancels the consumer of a queue that it is to leave.
    package var cancelsConsumers = false
    /// The prefetch of each subscription, from the one that is configured.
    package var room: @Sendable (_ prefetch: Int) -> Int = { $0 }
    /// How many of the process's calls to the bank are under way.
    package var callsInFlight: @Sendable () -> Int

    func ingester(_ context: ProcessorContext) -> DeadLetterIngester {
        DeadLetterIngester(context, store: deadLetters, sink: sink, fingerprinter: fingerprinter)
    }

    func breaker() -> CircuitBreaker {
        CircuitBreaker(time: time, random: random, observer: observer)
    }

    /// The real thing, over these ports.
    func consumer(_ context: ProcessorContext) -> CommandConsumer {
        CommandConsumer(context, sink: sink, fingerprinter: fingerprinter)
    }

    func membership(_ id: String, partitions: Int) -> Membership {
        Membership(
            id: id,
            version: "simulated",
            partitions: partitions,
            store: store,
            time: time,
            observer: observer
        )
    }

    func watch(_ context: ProcessorContext) -> BankWatch {
        BankWatch(context, bank: bank)
    }

    func context(_ breaker: CircuitBreaker) -> ProcessorContext {
        ProcessorContext(
            store: store,
            bank: bank,
            breaker: breaker,
            time: time,
            random: random,
            observer: observer,
            limits: limits,
            policy: policy
        )
    }
}

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

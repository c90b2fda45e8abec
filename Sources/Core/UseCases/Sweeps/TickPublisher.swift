/// Says, at the beginning of every slot of every job, that it has begun. All processors do: the schedule needs no leader.
package struct TickPublisher: Sendable {
    private let sink: any MessageSink
    private let periods: [SweepJob: Duration]
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let policy: RetryPolicy

    package init(
        sink: any MessageSink,
        periods: [SweepJob: Duration],
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.sink = sink
        self.periods = periods
        self.time = time
        self.random = random
        self.observer = observer
        self.policy = policy
    }

    /// Publishes until the task is cancelled; the slots that have begun already at once.
    package func run() async {
        await withDiscardingTaskGroup { group in
            for job in SweepJob.allCases {
                guard let period = periods[job] else { continue }
                group.addTask { try? await run(job, period) }
            }
        }
    }

    private func run(_ job: SweepJob, _ period: Duration) async throws(CancellationError) {
        while true {
            let now = time.now()
            let slot = SweepSlot(of: job, containing: now, period: period)
            try await publish(slot, period)
            // Never longer than a period, should the wall clock be set back.
            let rest = min(time.now().duration(to: slot.end(period: period)), period)
            if rest > .zero { try await time.sleep(for: rest) }
        }
    }

    /// Until the broker has it or the slot is over.
    private func publish(_ slot: SweepSlot, _ period: Duration) async throws(CancellationError) {
        for attempt in 0... {
            do throws(SinkError) {
                switch try await sink.publish(SweepTick.message(slot), to: .sweeps) {
                case .confirmed: return
                case .unroutable: observer.observe(.publishFailed("sweeps: no such queue"))
                case .refused: observer.observe(.publishFailed("sweeps: refused by the broker"))
                }
            } catch {
                observer.observe(.publishFailed(error.description))
            }
            try await time.sleep(for: policy.backoff(attempt: attempt, random: random.next()))
            if SweepSlot(of: slot.job, containing: time.now(), period: period) != slot { return }
        }
    }
}

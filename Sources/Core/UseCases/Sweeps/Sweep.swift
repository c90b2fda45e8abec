import Synchronization

/// One kind of scheduled work. Running it at any time, by any number of processors at once, is safe.
package protocol Sweep: Sendable {
    /// Works until nothing is due that was due at the start, or until it is told to stop.
    ///
    /// - Parameter stop: looked at between two batches.
    func run(until stop: StopFlag) async throws(StoreError) -> SweepReport
}

/// Runs sweeps and keeps the record of it.
package struct SweepRunner: Sendable {
    private let store: any SweepStore
    private let sweeps: [SweepJob: any Sweep]
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let patiently: StorePatience

    package init(
        store: any SweepStore,
        sweeps: [SweepJob: any Sweep],
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.store = store
        self.sweeps = sweeps
        self.time = time
        self.random = random
        self.observer = observer
        patiently = StorePatience(time: time, random: random, observer: observer, policy: policy)
    }

    /// Runs the job of a slot, where nobody has done so before (docs/correctness.md#a-slot-runs-once).
    ///
    /// - Returns: `nil` where the slot has been taken.
    package func run(_ slot: SweepSlot, until stop: StopFlag) async throws(StoreError) -> SweepReport? {
        let id = SweepRunID(random.identifier(at: time.now()))
        guard try await patiently({ () async throws(StoreError) in try await store.begin(id, slot) }) else {
            return nil
        }
        return try await run(id, slot.job, until: stop)
    }

    /// Runs a job because an operator asked for it.
    package func run(_ job: SweepJob, until stop: StopFlag) async throws(StoreError) -> SweepReport {
        let id = SweepRunID(random.identifier(at: time.now()))
        try await patiently { () async throws(StoreError) in try await store.begin(id, job) }
        return try await run(id, job, until: stop)
    }

    private func run(
        _ id: SweepRunID,
        _ job: SweepJob,
        until stop: StopFlag
    ) async throws(StoreError) -> SweepReport {
        guard let sweep = sweeps[job] else { return SweepReport() }
        let started = time.uptime()
        do throws(StoreError) {
            let report = try await sweep.run(until: stop)
            observer.observe(.swept(job, report, duration: time.uptime() - started))
            try await patiently { () async throws(StoreError) in try await store.finish(id, report) }
            return report
        } catch {
            observer.observe(.sweepFailed(job, error))
            throw error
        }
    }
}

/// What came of one row of a sweep.
enum SweepEnding: Hashable, Sendable {
    case resolved, needsAttention, waiting

    init(_ outcome: BankAttempt.Outcome) {
        switch outcome {
        case .completed: self = .resolved
        case .needsAttention: self = .needsAttention
        case .resting, .superseded: self = .waiting
        }
    }
}

extension SweepReport {
    mutating func count(_ ending: SweepEnding) {
        switch ending {
        case .resolved: resolved += 1
        case .needsAttention: needsAttention += 1
        case .waiting: waiting += 1
        }
    }
}

/// Takes ticks and runs the sweeps that they call for: one of each job at a time.
///
/// A tick is acknowledged at once: what a run that is cut short has left, or one that never began, the next slot's finds.
package struct SweepConsumer: Sendable {
    private let runner: SweepRunner
    private let observer: any ProcessorObserver
    private let busy = BusyJobs()

    package init(runner: SweepRunner, observer: any ProcessorObserver) {
        self.runner = runner
        self.observer = observer
    }

    /// Returns when the deliveries have ended and the sweeps under way have come to a good moment to stop.
    package func consume<Deliveries: AsyncSequence>(_ deliveries: Deliveries) async throws(Deliveries.Failure)
    where Deliveries.Element == any Delivery {
        let stop = StopFlag()
        let result: Result<Void, Deliveries.Failure> = await withDiscardingTaskGroup { group in
            defer { stop.set() }
            var iterator = deliveries.makeAsyncIterator()
            do throws(Deliveries.Failure) {
                while let delivery = try await iterator.next(isolation: nil) {
                    let slot = SweepTick.slot(of: delivery.message)
                    if slot == nil, delivery.message.type != Heartbeat.type { observer.observe(.tickUnreadable) }
                    if let slot, busy.enter(slot.job) {
                        group.addTask {
                            await run(slot, until: stop)
                            busy.leave(slot.job)
                        }
                    }
                    await delivery.acknowledge()
                }
                return .success(())
            } catch {
                return .failure(error)
            }
        }
        try result.get()
    }

    private func run(_ slot: SweepSlot, until stop: StopFlag) async {
        do throws(StoreError) {
            _ = try await runner.run(slot, until: stop)
        } catch {
            // Reported by the runner; the next slot goes on.
        }
    }
}

/// The jobs that this process is running.
private final class BusyJobs: Sendable {
    private let jobs = Mutex<Set<SweepJob>>([])

    /// False where it is running already.
    func enter(_ job: SweepJob) -> Bool { jobs.withLock { $0.insert(job).inserted } }

    func leave(_ job: SweepJob) { jobs.withLock { _ = $0.remove(job) } }
}

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

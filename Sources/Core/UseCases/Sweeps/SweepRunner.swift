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

import Synchronization

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

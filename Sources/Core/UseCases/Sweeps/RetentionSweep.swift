/// Removes what need not be kept any longer, in small batches: operations and history are kept forever.
package struct RetentionSweep: Sweep {
    private let store: any SweepStore
    private let policy: SweepPolicy

    package init(store: any SweepStore, policy: SweepPolicy) {
        self.store = store
        self.policy = policy
    }

    package func run(until stop: StopFlag) async throws(StoreError) -> SweepReport {
        var report = SweepReport()
        while !stop.isSet, !Task.isCancelled {
            let removed = try await store.removeOld(policy)
            report.examined += removed
            report.resolved += removed
            if removed == 0 { break }
        }
        return report
    }
}

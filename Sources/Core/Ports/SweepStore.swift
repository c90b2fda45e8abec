/// What the sweeps ask of the store. Each call is one transaction, whole or not at all.
package protocol SweepStore: Sendable {
    /// Takes a slot for a run. False where another run has it (docs/correctness.md#a-slot-runs-once). Repeating it for
    /// the same run after an unknown outcome is safe (docs/correctness.md#unknown-commit).
    func begin(_ run: SweepRunID, _ slot: SweepSlot) async throws(StoreError) -> Bool

    /// Begins a run that an operator has asked for, beside the schedule.
    func begin(_ run: SweepRunID, _ job: SweepJob) async throws(StoreError)

    func finish(_ run: SweepRunID, _ report: SweepReport) async throws(StoreError)

    /// Newest first.
    func runs(limit: Int) async throws(StoreError) -> [SweepRun]

    /// Checks operations that are due, open or not reported, in the order of their due time, decides by
    /// `OpenDecision`, and moves every one's next due time (docs/correctness.md#starving-sweeps). What others are
    /// looking at is left out.
    func check(_ check: OpenCheck) async throws(StoreError) -> OpenFindings

    /// Compares authorizations that superseded attempts brought with those that their payments have got since. One that is not the
    /// payment's is recorded as a possible orphan. Each is compared once; what is not decided yet is left for the next call.
    ///
    /// - Parameter limit: compares at most as many.
    /// - Returns: the operations of those recorded.
    func compareLateAuthorizations(limit: Int) async throws(StoreError) -> [Operation]

    /// Checks authorizations past their expiry, decides by `AuthorizationDecision`, and moves every one's next due
    /// time.
    func check(_ check: AuthorizationCheck) async throws(StoreError) -> AuthorizationFindings

    /// Writes an expiry, decided by `Expiry` under the payment's lock, with its event. False where it no longer applies.
    func expire(_ proof: ExpiryProof) async throws(StoreError) -> Bool

    /// What checks what is due now would find, without a trace.
    func preview(_ job: SweepJob, _ policy: SweepPolicy, expiredBy: Timestamp?) async throws(StoreError) -> SweepReport

    /// Removes some of what need not be kept any longer: at most a batch of each kind.
    ///
    /// - Returns: how many rows went.
    func removeOld(_ policy: SweepPolicy) async throws(StoreError) -> Int

    func backlog() async throws(StoreError) -> Backlog
}

/// What waits to be done, for the gauges.
package struct Backlog: Hashable, Sendable {
    /// Operations whose outcome is not stored, without those under manual review.
    package var open: [OperationKind: Int] = [:]
    /// How long the oldest reply or dead letter in the outbox has been waiting; zero where there is none.
    package var outboxOldest: Duration = .zero
    /// How many events wait in the outbox.
    package var eventsWaiting = 0

    package init(open: [OperationKind: Int] = [:], outboxOldest: Duration = .zero, eventsWaiting: Int = 0) {
        self.open = open
        self.outboxOldest = outboxOldest
        self.eventsWaiting = eventsWaiting
    }
}

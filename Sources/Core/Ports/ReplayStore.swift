/// Replays as rows: they outlive whoever asked for them. Each call is one transaction.
package protocol ReplayStore: Sendable {
    /// - Parameter ids: frozen, each once. Of none the replay is finished at once.
    func createReplay(
        _ id: ReplayID,
        _ order: ReplayOrder,
        of ids: [DeadLetterID]
    ) async throws(StoreError) -> ReplayRun

    /// Newest first.
    func replays(limit: Int) async throws(StoreError) -> [ReplayRun]

    func replay(_ id: ReplayID) async throws(StoreError) -> ReplayRun?

    /// With its problems.
    func replayView(_ id: ReplayID) async throws(StoreError) -> ReplayView?

    /// Takes up one that nobody is at, under a new fencing token and a lease on the store's clock: the oldest, or the
    /// one that is named.
    func takeReplay(_ id: ReplayID?) async throws(StoreError) -> ReplayRun?

    /// What is left of its list, in order.
    func remainingDeadLetters(
        of id: ReplayID,
        after position: Int,
        limit: Int
    ) async throws(StoreError) -> [ReplayPosition]

    /// Writes down what became of a dead letter, once, and makes the lease last longer.
    func note(_ claim: ReplayClaim, _ entry: DeadLetterReport.Entry?) async throws(StoreError) -> ReplayNote

    /// Ends it; `nil`: gives it back, for another process to take up. Does nothing where another one has taken it up.
    func endReplay(
        _ claim: ReplayClaim,
        _ state: ReplayRun.State?,
        reason: String?
    ) async throws(StoreError)

    /// Asks it to stop: at once where nobody is at it, else before its next dead letter.
    ///
    /// - Returns: as it is then; `nil` where there is no such replay.
    func stopReplay(_ id: ReplayID, by actor: String) async throws(StoreError) -> ReplayRun?

    /// Stops it, but only where no process has taken it up so far.
    ///
    /// - Returns: whether nothing will become of it.
    func withdrawReplay(_ id: ReplayID, reason: String) async throws(StoreError) -> Bool
}

/// A place in the list of a replay.
package struct ReplayPosition: Hashable, Sendable {
    package let position: Int
    package let deadLetter: DeadLetterID

    package init(position: Int, deadLetter: DeadLetterID) {
        self.position = position
        self.deadLetter = deadLetter
    }
}

/// What a process that runs a replay does next.
package enum ReplayNote: Hashable, Sendable {
    case goOn
    /// An operator has asked for it.
    case stop
    /// Another process has taken it up.
    case superseded
}

extension ReplayClaim {
    /// How long a process has a replay for, without another word from it.
    package static let runLease = Duration.seconds(30)
}

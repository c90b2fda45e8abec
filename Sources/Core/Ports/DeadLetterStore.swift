/// Where the ingester puts dead letters. Each call is one transaction, whole or not at all, and may be repeated.
package protocol DeadLetterIntake: Sendable {
    /// Keeps the dead letter, unless its failure is known already; and opens its operation for manual review where a
    /// broker's dead letter says that its command will not come any more: the operation is open, and its lease is over.
    func keep(_ deadLetter: DeadLetter) async throws(StoreError) -> DeadLetterKept

    /// Counts that a message is sent back to the commands, once per failure.
    ///
    /// - Returns: how often it has been with this time; `nil` where it has been `limit` times already.
    func countReturn(
        of identity: String,
        _ instance: FailureInstance,
        limit: Int
    ) async throws(StoreError) -> Int?
}

package enum DeadLetterKept: Hashable, Sendable {
    case stored
    /// There is a row of this failure.
    case known
}

/// What operators ask about dead letters (docs/contract.md#command-line).
package protocol DeadLetterQueries: Sendable {
    /// Newest first.
    func deadLetters(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> [DeadLetter]

    func deadLetter(_ id: DeadLetterID) async throws(StoreError) -> DeadLetterView?

    /// Those that are there, oldest first.
    func deadLetterIDs(_ selection: DeadLetterSelection) async throws(StoreError) -> [DeadLetterID]

    /// What a replay would begin with; changes nothing.
    func replayStep(of id: DeadLetterID) async throws(StoreError) -> ReplayStep

    /// What a discard would come to; changes nothing.
    func discardOutcome(of id: DeadLetterID) async throws(StoreError) -> DiscardOutcome

    /// How many are unfinished, by code.
    func unfinishedDeadLetters() async throws(StoreError) -> [String: Int]
}

/// What operators do with dead letters. Each call is one transaction, with its row in the audit.
package protocol DeadLetterActions: Sendable {
    /// `open` → `replaying`, claimed, decided by `ReplayDecision`.
    func beginReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim
    ) async throws(StoreError) -> ReplayStep

    /// `replaying` → what the end says.
    ///
    /// - Returns: false where it is not claimed by this claim any more: another replay has taken it up.
    func endReplay(
        _ id: DeadLetterID,
        by actor: String,
        _ claim: ReplayClaim,
        _ end: ReplayEnd
    ) async throws(StoreError) -> Bool

    /// `open` → `discarded`.
    func discard(_ id: DeadLetterID, by actor: String, reason: String) async throws(StoreError) -> DiscardOutcome
}

/// A dead letter with all that was done with it.
package struct DeadLetterView: Hashable, Sendable {
    package let deadLetter: DeadLetter
    /// Oldest first.
    package let audit: [DeadLetterAuditEntry]
    /// How far the operation of its command is; `nil` where there is none. Replaying or discarding a dead letter does
    /// not end it.
    package let operation: OperationState?

    package init(deadLetter: DeadLetter, audit: [DeadLetterAuditEntry], operation: OperationState?) {
        self.deadLetter = deadLetter
        self.audit = audit
        self.operation = operation
    }
}

/// Who did what with a dead letter, when, and how it ended.
package struct DeadLetterAuditEntry: Hashable, Sendable {
    package let at: Timestamp
    package let actor: String
    /// `replay`, `discard` or `erase`.
    package let action: String
    /// `started`, `replayed`, `failed`, `discarded` or `erased`.
    package let result: String
    package let reason: String?

    package init(at: Timestamp, actor: String, action: String, result: String, reason: String?) {
        self.at = at
        self.actor = actor
        self.action = action
        self.result = result
        self.reason = reason
    }
}

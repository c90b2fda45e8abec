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

/// Which dead letters; a part that is `nil` lets all through.
package struct DeadLetterFilter: Hashable, Sendable {
    package var code: String?
    /// Exactly this text: dead letters with the same code and message have the same cause.
    package var message: String?
    package var kind: OperationKind?
    package var merchantID: MerchantID?
    package var paymentID: PaymentID?
    /// Of the payments of this order: their stores know them.
    package var orderID: String?
    /// Failed longer ago than this, by the store's clock.
    package var olderThan: Duration?
    /// Failed within this time, by the store's clock.
    package var newerThan: Duration?
    package var states: Set<DeadLetterState>?
    /// Older than the last one of the page before.
    package var before: DeadLetterCursor?

    package init() {}

    /// - Parameters:
    ///   - deadLetter: the one that is tested.
    ///   - order: that of its payment, where there is one.
    ///   - now: the store's clock.
    package func matches(_ deadLetter: DeadLetter, order: String? = nil, now: Timestamp) -> Bool {
        code ?? deadLetter.failure.code == deadLetter.failure.code
            && (message.map { $0.utf8.elementsEqual(deadLetter.failure.message.utf8) } ?? true)
            && (kind == nil || kind == deadLetter.command.kind)
            && (merchantID == nil || merchantID == deadLetter.command.merchantID)
            && (paymentID == nil || paymentID == deadLetter.command.paymentID)
            && (olderThan.map { deadLetter.failure.at < now.advanced(by: .zero - $0) } ?? true)
            && (newerThan.map { deadLetter.failure.at > now.advanced(by: .zero - $0) } ?? true)
            && (orderID == nil || orderID == order)
            && (before.map { (deadLetter.failure.at, deadLetter.id) < ($0.at, $0.id) } ?? true)
            && states?.contains(deadLetter.state) != false
    }
}

/// What an operator acts upon: frozen as a list of ids before anything moves.
package enum DeadLetterSelection: Hashable, Sendable {
    case ids([DeadLetterID])
    /// The oldest first, `limit` at most.
    case matching(DeadLetterFilter, limit: Int?)
}

/// Where a page of dead letters ended. Its text form is opaque to clients.
package struct DeadLetterCursor: Hashable, Sendable, LosslessStringConvertible {
    package let at: Timestamp
    package let id: DeadLetterID

    package init(_ deadLetter: DeadLetter) {
        at = deadLetter.failure.at
        id = deadLetter.id
    }

    package init?(_ description: String) {
        // The same form as that of a list of payments.
        guard let place = PageCursor(description) else { return nil }
        at = place.at
        id = DeadLetterID(place.id.value)
    }

    package var description: String { PageCursor(at: at, id: PaymentID(id.value)).description }
}

/// A page of dead letters, newest first.
package struct DeadLetterPage: Hashable, Sendable {
    package let deadLetters: [DeadLetter]
    /// `nil` on the last page.
    package let next: DeadLetterCursor?
}

extension DeadLetterQueries {
    /// - Parameter limit: at most so many.
    package func page(_ filter: DeadLetterFilter, limit: Int) async throws(StoreError) -> DeadLetterPage {
        // One more tells whether there is another page.
        let found = try await deadLetters(filter, limit: limit + 1)
        let deadLetters = Array(found.prefix(limit))
        return DeadLetterPage(
            deadLetters: deadLetters,
            next: found.count > limit ? deadLetters.last.map(DeadLetterCursor.init) : nil
        )
    }
}

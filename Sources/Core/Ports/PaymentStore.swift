/// Where payments and operations are kept. Each call is one transaction, whole or not at all.
package protocol PaymentStore: Sendable {
    /// Step 2 of docs/correctness.md#order-of-steps: locks, decides by `ClaimDecision`, writes, commits.
    /// Repeating it with the same token after an unknown outcome is safe (docs/correctness.md#unknown-commit).
    func claim(_ request: ClaimRequest) async throws(StoreError) -> ClaimOutcome

    /// Step 4: writes how the attempt ended, unless the fencing token has moved on.
    /// Repeating it after an unknown outcome is safe (docs/correctness.md#unknown-commit).
    func complete(_ result: OperationResult) async throws(StoreError) -> CompletionOutcome

    /// Gives a command that is put off without a claim its place among those of its payment that wait; a message that has one keeps it.
    func register(_ command: Command) async throws(StoreError)

    /// Returns where claims and places can be written at the moment, by the way that they take. Changes nothing.
    func checkAvailability() async throws(StoreError)

    /// What waits before a command; `nil` where nothing does.
    func line(before command: Command) async throws(StoreError) -> LineMark?

    /// Takes a command that waits no longer out of the line. Where the line before it is as it was then, those before it go, too: their
    /// messages are lost, and nobody must wait for them (docs/correctness.md#lost-places).
    ///
    /// - Parameter line: what waited before it when it was deferred last.
    func withdraw(_ command: Command, behind line: LineMark?) async throws(StoreError)

    /// Notes that a command is owed the final reply of an operation in manual review, which it has been given up to: when that ends, the
    /// reply is in the outbox (docs/correctness.md#outcomes-are-reported). Noting it again changes nothing.
    func awaitReply(to command: Command) async throws(StoreError)

    /// Notes that a request was answered with a complete error after the process that had sent it was gone: its unknown end is then no
    /// reason to suspect a second hold. Changes nothing where another attempt has begun since.
    func noteError(answering request: RequestOrigin) async throws(StoreError)

    /// Notes that the broker has what there was to report of an operation's end; where nobody notes it, the sweep
    /// reports it once more (docs/correctness.md#outcomes-are-reported). Changes nothing where another attempt has
    /// begun since.
    ///
    /// - Parameters:
    ///   - operation: as it ended.
    ///   - isUndeliverable: whether no queue took its final reply (docs/correctness.md#reply-queue-gone).
    ///   - events: those that the broker has not confirmed; in the same commit they go to the outbox, or stay due until there is room.
    func recordNotified(
        _ operation: Operation,
        isUndeliverable: Bool,
        relaying events: [PaymentEvent]
    ) async throws(StoreError)
}

extension PaymentStore {
    /// Notes that the broker has the reply and all events.
    package func recordNotified(_ operation: Operation, isUndeliverable: Bool) async throws(StoreError) {
        try await recordNotified(operation, isUndeliverable: isUndeliverable, relaying: [])
    }
}

package enum CompletionOutcome: Hashable, Sendable {
    case completed
    /// Another attempt has taken the operation over; what this one learnt is in the history.
    case superseded
    /// The same, and the bank has given this attempt another authorization than the payment has: a second hold, which is recorded as
    /// a possible orphan (docs/correctness.md#one-effect-per-key).
    case stray
}

/// What it takes to end an operation by an operator's decision, beside reading it and completing it. Each call is one
/// transaction.
package protocol ResolutionStore: PaymentStore {
    /// Takes an operation that is in `NEEDS_ATTENTION`, under a higher fencing token and with a lease: then it is
    /// `SENT`, and where nobody completes it, the reconciling sweep goes on with it after the lease. Decided by
    /// `Operation.takenForResolution`. Repeating it with the same token after an unknown outcome is safe
    /// (docs/correctness.md#unknown-commit).
    ///
    /// - Parameters:
    ///   - seen: as it was read.
    ///   - token: names this attempt, through all its retries.
    ///   - lease: how long it may talk to the bank.
    /// - Returns: `nil` where others have changed it since.
    func takeForResolution(
        _ seen: Operation,
        by token: ClaimToken,
        lease: Duration
    ) async throws(StoreError) -> Claim?

    /// The payment that has an effect of the bank on record; `nil` where none has.
    func owner(ofBankID id: String) async throws(StoreError) -> PaymentID?
}

/// Why the store did not do what was asked. Never holds a value of a row.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not reachable, shutting down, or overloaded: the same call may succeed later.
        case unavailable
        /// Reached, but it refused this very work, and will again.
        case refused
        /// What was read does not fit the schema that this version knows.
        case unreadable
        /// The bank's id of an effect belongs to another payment already.
        case bankIDTaken = "bank_id_taken"
    }

    package let code: Code
    /// An SQLSTATE or a driver's code.
    package let detail: String
    /// The connection went away while the commit was under way: it may have happened
    /// (docs/correctness.md#unknown-commit).
    package let outcomeUnknown: Bool

    /// It was reached, and said no for now: a lock, a timeout, no room.
    package let isAnswered: Bool

    package init(_ code: Code, detail: String, outcomeUnknown: Bool = false, isAnswered: Bool = false) {
        self.isAnswered = isAnswered
        self.code = code
        self.detail = detail
        self.outcomeUnknown = outcomeUnknown
    }

    package var isRetriable: Bool { code == .unavailable }

    package var description: String { "store \(code.rawValue) (\(detail))" }
}

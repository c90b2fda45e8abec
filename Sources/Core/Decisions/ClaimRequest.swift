/// A command that wants to go to the bank.
package struct ClaimRequest: Sendable {
    package let command: Command
    /// The operation's id, if the key is new.
    package let operationID: OperationID
    /// Names this attempt, through all retries of the claim itself (docs/correctness.md#unknown-commit).
    package let token: ClaimToken
    package let lease: Duration
    /// What the bank will know the operation by, if the key is new.
    package let bankKey: String
    /// Whether it has waited a retry tier for its authorize already.
    package let hasWaited: Bool
    package let expiry: Expiry
    /// The fencing token of a claim whose request the bank has executed: it was asked by the key, and replays its success. Such a claim
    /// need not be waited for (docs/correctness.md#takeover).
    package let executed: Int64?

    /// Whether the command expired before anybody handled it.
    package enum Expiry: Hashable, Sendable {
        case none
        /// It did: what is known goes on, and nothing new is begun.
        case expired
        /// The same, asked by somebody who cannot go to the bank: nothing is taken over either.
        case expiredAndOnlyChecking
    }

    package init(
        command: Command,
        operationID: OperationID,
        token: ClaimToken,
        lease: Duration,
        bankKey: String? = nil,
        hasWaited: Bool = false,
        expiry: Expiry = .none,
        executed: Int64? = nil
    ) {
        self.command = command
        self.operationID = operationID
        self.token = token
        self.lease = lease
        self.bankKey = bankKey ?? command.bankKey
        self.hasWaited = hasWaited
        self.expiry = expiry
        self.executed = executed
    }
}

package import Core

/// What goes wrong with one request to the bank; the names are those of the bank simulator (contract.md §8).
package enum BankFault: Hashable, Sendable, CaseIterable {
    /// Executed, the key stored, and no answer within the client's patience.
    case timeoutAfterExecute
    /// The connection is cut before anything is executed.
    case dropBefore
    /// Executed, the key stored, and the connection cut.
    case dropAfter
    /// Executed, the key stored, and the answer is no JSON.
    case garbage
    /// 500 `internal_error`, before anything is executed.
    case error500
    /// Executed and answered, and the key is never stored.
    case loseKey
    /// Nobody listens: the request is never sent.
    case down
}

/// One effect, in the order of execution.
package struct BankLedgerEntry: Hashable, Sendable {
    package let operation: OperationKind
    /// The effect's own id.
    package let id: String
    package let authorizationID: String
    package let amount: Int64
    package let idempotencyKey: String
    package let executedAt: Timestamp
}

/// One request, as the bank received it.
package struct BankRequestRecord: Hashable, Sendable {
    package let operation: OperationKind
    package let idempotencyKey: String
    package let at: Timestamp
    package let fault: BankFault?
}

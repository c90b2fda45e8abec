package import Core

/// What goes wrong with one request to the bank; most names are those of the bank simulator
/// (docs/bank.md#the-bank-simulator).
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
    /// 400 `internal_error`: its database is away (docs/correctness.md#codes-that-lie). Nothing is executed.
    case error400
    /// 400 with a code that is not true: its database gave a lock up (docs/correctness.md#codes-that-lie). Nothing is
    /// executed.
    case wrongCode
    /// Executed, and the connection cut before the key is stored: what becomes of a caller that hangs up.
    case cutAfterExecute
    /// Executed and answered, and the key is never stored.
    case loseKey
    /// Nobody listens: the request is never sent.
    case down
}

extension BankFault {
    /// What the bank says instead of doing anything.
    func lie(about operation: OperationKind) -> BankReplyBody? {
        switch self {
        case .error500: .error(500, "internal_error")
        case .error400: .error(400, "internal_error")
        case .wrongCode: .error(400, operation == .authorize ? "invalid_card" : "authorization_not_found")
        case .timeoutAfterExecute, .dropBefore, .dropAfter, .cutAfterExecute, .garbage, .loseKey, .down: nil
        }
    }
}

/// What befalls one request.
package struct BankBehavior: Sendable {
    package var fault: BankFault?
    /// Besides: whatever is executed, its key is not stored (docs/bank.md#the-bank-simulator).
    package var losesKey = false
    /// Until it is executed.
    package var latency: Duration

    package init(fault: BankFault? = nil, latency: Duration) {
        self.fault = fault
        self.latency = latency
    }
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

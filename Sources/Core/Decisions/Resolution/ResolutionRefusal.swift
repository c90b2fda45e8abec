/// Why an operation is not ended by an operator's decision.
package enum ResolutionRefusal: Error, Hashable, Sendable {
    case noPayment(PaymentID)
    /// Its operations are others.
    case noOperation(String, [OperationName])
    case severalOperations([OperationName])
    case otherState([OperationName])
    /// The payment is in this state, in which the operation does not hold it.
    case notActive(PaymentStatus)
    /// `failed` was asked for, and the bank replays the success with this id.
    case bankExecuted(String)
    /// The bank replays the success with another id than the one that was given.
    case otherBankID(given: String, replayed: String)
    /// The bank does not tell by the operation's key, so its id is needed.
    case needsBankID(KeyTestimony)
    case bankIDUnknown(OperationKind, String)
    /// What the bank has under the id is not what the operation asked for: a code.
    case bankIDDiffers(String, reason: String)
    case bankIDTaken(String, by: PaymentID?)
    /// Others have changed it since it was checked.
    case changed
    /// It cannot be asked, or says nothing that counts: a code.
    case bankUnavailable(String)
    case storeFailed(StoreError)

    /// What a program is told.
    package var code: String {
        switch self {
        case .noPayment, .noOperation: "not_found"
        case .severalOperations: "ambiguous_operation"
        case .otherState, .notActive: "wrong_state"
        case .bankExecuted, .otherBankID, .bankIDUnknown, .bankIDDiffers: "bank_contradicts"
        case .needsBankID: "bank_id_needed"
        case .bankIDTaken: StoreError.Code.bankIDTaken.rawValue
        case .changed: "changed"
        case .bankUnavailable, .storeFailed: "unavailable"
        }
    }

    /// What an operator is told.
    package var explanation: String {
        switch self {
        case .noPayment(let id): "there is no payment \(id)"
        case .noOperation(let word, let others):
            "the payment has no operation '\(word)'" + (others.isEmpty ? "" : "; \(Self.list(others))")
        case .severalOperations(let names):
            "several operations are meant, name one by its idempotency key: \(Self.list(names))"
        case .otherState(let names): "only what is NEEDS_ATTENTION can be resolved; \(Self.list(names))"
        case .notActive(let status): "the payment is \(status.rawValue): the operation does not hold it"
        case .bankExecuted(let id): "the bank has executed it as \(id); resolve it as succeeded"
        case .otherBankID(let given, let replayed): "the bank has executed it as \(replayed), not as \(given)"
        case .needsBankID(let key): "\(key.explanation); the id of what it did is needed"
        case .bankIDUnknown(let kind, let id): "the bank knows no \(kind.rawValue) \(id)"
        case .bankIDDiffers(let id, let reason):
            "what the bank has as \(id) is not what this operation asked for (\(reason))"
        case .bankIDTaken(let id, let owner):
            "\(id) belongs to \(owner.map { "payment \($0)" } ?? "another payment") already"
        case .changed: "the operation has been changed since it was checked; check it again"
        case .bankUnavailable(let cause): "the bank cannot be asked (\(cause))"
        case .storeFailed(let error): "the database cannot be used (\(error.detail))"
        }
    }

    private static func list(_ names: [OperationName]) -> String {
        names.map(\.description).joined(separator: ", ")
    }
}

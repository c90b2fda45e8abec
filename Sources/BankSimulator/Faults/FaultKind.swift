/// What can be made to go wrong with a request (docs/bank.md#the-bank-simulator).
///
/// `lose-key` and `latency` change a request and go together with any other fault; of the rest a request suffers one.
enum FaultKind: String, CaseIterable, Sendable {
    /// Executes, stores the key, and holds the answer for `milliseconds`, then sends it.
    case timeoutAfterExecute = "timeout-after-execute"
    /// Cuts the connection; nothing is executed.
    case dropBefore = "drop-before"
    /// Executes, stores the key, and cuts the connection without an answer.
    case dropAfter = "drop-after"
    /// Executes, stores the key, and answers 200 with a body that is not JSON.
    case garbage
    /// Answers 500 `internal_error`; nothing is executed.
    case error500 = "error-500"
    /// Executes and answers, but never stores the key.
    case loseKey = "lose-key"
    /// Cuts the connection of everything but the control endpoints.
    case down
    /// Waits for `milliseconds` before anything else.
    case latency
    /// Answers a status, header fields and a body of the caller's choice, after executing and storing the key or without.
    case status
    /// Executes, stores the key, and answers the right thing in another way of writing.
    case reshape
    /// Answers an authorization with the id of the last one that succeeded; nothing is executed.
    case sameID = "same-id"

    /// It changes a request and leaves room for another fault.
    var isModifier: Bool { self == .loseKey || self == .latency }

    /// Whether it means anything for this kind of request.
    func applies(to subject: FaultSubject) -> Bool {
        switch self {
        case .down: true
        case .loseKey: subject.storesKey
        case .sameID: subject.operation == .authorize && subject.storesKey && subject.followsAuthorization
        default: subject.operation != nil
        }
    }
}

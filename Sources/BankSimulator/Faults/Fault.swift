/// A fault as it was asked for.
struct Fault: Equatable, Sendable {
    let kind: FaultKind
    /// nil is `any`.
    var operation: BankOperation?
    /// How many requests it hits before it is gone; nil is until it is deleted.
    var count: Int?
    /// Of hitting a request that it is aimed at: above 0, up to 1.
    var probability = 1.0
    /// Of `latency` the wait, of `timeout-after-execute` how long the answer is held; the others do not use it.
    var milliseconds: Int64?
    /// Of `status`, and of nothing else.
    var answer: StatusAnswer?
    /// Of `reshape`, and of nothing else.
    var style: AnswerStyle?

    /// How long `timeout-after-execute` holds an answer unless told otherwise: longer than any client waits.
    static let defaultHold: Int64 = 60_000

    /// The longest wait that can be asked for: a day.
    static let longestWait: Int64 = 86_400_000

    /// How long it holds an answer, in milliseconds.
    var hold: Int64 { milliseconds ?? Self.defaultHold }

    /// The request ends before anything is executed.
    var preventsExecution: Bool {
        switch kind {
        case .dropBefore, .error500, .down: true
        case .status: answer?.executes != true
        default: false
        }
    }
}

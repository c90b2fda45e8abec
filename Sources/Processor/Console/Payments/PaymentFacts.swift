import Core

/// All that is known of one payment.
struct PaymentFacts: Sendable {
    let view: PaymentView
    let trace: PaymentTrace
    /// Newest first.
    let deadLetters: [DeadLetter]
    let now: Timestamp

    func steps(of operation: Operation) -> PaymentTrace.Steps? { trace.steps.first { $0.operation == operation.id } }

    /// What was attempted of a kind, the last one last.
    func operations(_ kind: OperationKind) -> [Operation] { view.operations.filter { $0.kind == kind } }

    var inReview: [Operation] { view.operations.filter { $0.state == .needsAttention } }
}

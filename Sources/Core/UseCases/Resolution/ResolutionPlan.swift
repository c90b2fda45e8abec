/// What a resolution would do, as an operator is asked to agree to it.
package struct ResolutionPlan: Hashable, Sendable {
    /// As it was read: in another shape it is not touched.
    package let operation: Operation
    package let payment: Payment
    package let resolution: Resolution

    package init(operation: Operation, payment: Payment, resolution: Resolution) {
        self.operation = operation
        self.payment = payment
        self.resolution = resolution
    }

    /// The state that the payment gets.
    package var status: PaymentStatus {
        switch resolution.end {
        case .succeeded: operation.kind.succeeded
        case .failed: operation.origin ?? .failed
        }
    }

    /// What the bank has said, for an operator.
    package var testimony: String {
        switch (resolution.end, resolution.key) {
        case (.succeeded, .executed), (.failed, _): resolution.key.explanation
        case (.succeeded(let effect, _?), _):
            "\(resolution.key.explanation), and has what it asked for as \(effect.bankID)"
        case (.succeeded(let effect, nil), _):
            "\(resolution.key.explanation), and cannot be asked about \(effect.bankID)"
        }
    }
}

/// What has been done.
package struct ResolutionReport: Hashable, Sendable {
    package let plan: ResolutionPlan
    /// How many of its dead letters have been discarded.
    package let closedDeadLetters: Int
    /// For an operator: what is left to do. The operation has ended all the same.
    package let problems: [String]

    package init(plan: ResolutionPlan, closedDeadLetters: Int, problems: [String]) {
        self.plan = plan
        self.closedDeadLetters = closedDeadLetters
        self.problems = problems
    }
}

/// What came of one row of a sweep.
enum SweepEnding: Hashable, Sendable {
    case resolved, needsAttention, waiting

    init(_ outcome: BankAttempt.Outcome) {
        switch outcome {
        case .completed: self = .resolved
        case .needsAttention: self = .needsAttention
        case .resting, .superseded: self = .waiting
        }
    }
}

extension SweepReport {
    mutating func count(_ ending: SweepEnding) {
        switch ending {
        case .resolved: resolved += 1
        case .needsAttention: needsAttention += 1
        case .waiting: waiting += 1
        }
    }
}

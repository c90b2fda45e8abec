/// How a seed went.
package struct SeedReport: Sendable {
    package let seed: UInt64
    /// Of everything that happened, in order.
    package let hash: UInt64
    package let faults: FaultPlan
    package let violations: [Violation]
    package let tally: Tally
    /// Empty unless it was asked for.
    package let lines: [Trace.Line]

    /// The lines about one payment, and about what concerns all.
    package func timeline(of payment: String?) -> [Trace.Line] {
        guard let payment else { return lines }
        // The bank knows an operation by its key alone: which keys are this payment's is said where they are claimed.
        let keys = Set(lines.filter { $0.payment == payment }.flatMap { $0.text.bankKeys })
        return lines.filter { line in
            line.payment == payment || line.payment == nil && line.text.bankKeys.allSatisfy(keys.contains)
        }
    }
}

extension String {
    fileprivate var bankKeys: [Substring] {
        split(whereSeparator: { $0 == " " || $0 == ":" || $0 == "," }).filter { $0.hasPrefix("pp1-") }
    }
}

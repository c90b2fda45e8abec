import Core
import Synchronization

/// Prints the comparison of ledgers while it is made: it may be long, and is never held in memory.
final class LedgerOutput: Sendable {
    private let json: Bool
    private let showsProgress: Bool
    private let count = Mutex(0)

    init(json: Bool, showsProgress: Bool) {
        self.json = json
        self.showsProgress = showsProgress
    }

    func begin() {
        if json { StandardStream.output.write(#"{"payments":["#) }
    }

    func show(_ comparison: LedgerComparison, _ totals: LedgerReport.Totals) {
        let isFirst = count.withLock { count in
            count += 1
            return count == 1
        }
        if json {
            let text = String(decoding: comparison.json.encoded, as: UTF8.self)
            StandardStream.output.write(isFirst ? text : "," + text)
        } else if let line = Self.line(comparison) {
            StandardStream.output.print(line)
        }
        if showsProgress, totals.count.isMultiple(of: 100) {
            StandardStream.error.write("\r\(totals.count) payments compared, \(totals.differ) differ")
        }
    }

    func end(_ totals: LedgerReport.Totals) {
        if showsProgress, totals.count >= 100 { StandardStream.error.print("") }
        if json {
            StandardStream.output.print("],\"totals\":\(String(decoding: totals.json.encoded, as: UTF8.self))}")
        } else {
            StandardStream.output.print(
                "\(totals.agree) agree, \(totals.differ) differ, \(totals.unknown) cannot be said"
            )
        }
    }

    /// `nil` for one that agrees.
    static func line(_ comparison: LedgerComparison) -> String? {
        let payment = comparison.payment
        switch comparison.agrees {
        case true?: return nil
        case false?:
            let what = comparison.differences.joined(separator: ", ")
            return "\(payment.id)  \(payment.status.rawValue)  differs: \(what)"
        case nil:
            let why = payment.status.isInProgress ? "an operation is under way" : "the bank gave no answer"
            return "\(payment.id)  \(payment.status.rawValue)  cannot be said: \(why)"
        }
    }
}

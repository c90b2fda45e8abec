import Core
import Program
import Synchronization

/// Prints the comparison of ledgers while it is made: it may be long, and is never held in memory.
final class LedgerOutput: Sendable {
    private let json: Bool
    private let showsProgress: Bool
    private let hasBegun = Mutex(false)

    init(json: Bool, showsProgress: Bool) {
        self.json = json
        self.showsProgress = showsProgress
    }

    func show(_ comparison: LedgerComparison, _ totals: LedgerReport.Totals) {
        let isFirst = begin()
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
        _ = begin()
        if showsProgress, totals.count >= 100 { StandardStream.error.print("") }
        StandardStream.output.print(
            json
                ? "],\"totals\":\(String(decoding: totals.json.encoded, as: UTF8.self))}"
                : Self.summary(totals)
        )
    }

    /// Only when there is something to show: of a bank that cannot be reached there is nothing on standard output.
    ///
    /// - Returns: whether this was the first time.
    private func begin() -> Bool {
        let isFirst = hasBegun.withLock { hasBegun in
            defer { hasBegun = true }
            return !hasBegun
        }
        if isFirst, json { StandardStream.output.write(#"{"payments":["#) }
        return isFirst
    }

    static func summary(_ totals: LedgerReport.Totals) -> String {
        let orphans = totals.possibleOrphans == 1 ? "1 possible orphan" : "\(totals.possibleOrphans) possible orphans"
        return "\(totals.agree) agree, \(totals.differ) differ, \(totals.unknown) cannot be said, \(orphans)"
    }

    /// `nil` for one that agrees and is not suspected of a second hold.
    static func line(_ comparison: LedgerComparison) -> String? {
        let payment = comparison.payment
        let verdict: String
        switch comparison.agrees {
        case true?:
            guard comparison.orphan == .suspected else { return nil }
            verdict = "agrees"
        case false?:
            verdict = "differs: \(comparison.differences.joined(separator: ", "))"
        case nil:
            let why = payment.status.isInProgress ? "an operation is under way" : "the bank gave no answer"
            verdict = "cannot be said: \(why)"
        }
        let orphan = comparison.orphan.map { "  possible orphan: \($0.rawValue)" } ?? ""
        return "\(payment.id)  \(payment.status.rawValue)  \(verdict)\(orphan)"
    }
}

import ArgumentParser
import Core
import Glibc
import Program

/// What an operator is told of an action, and the exit code that goes with it.
struct DeadLetterOutcome {
    let action: DeadLetterService.Action
    let isDryRun: Bool
    let json: Bool

    func print(_ report: DeadLetterReport) {
        Self.endProgress(report)
        let skips = isDryRun ? report.skips.map { "\($0.id): \($0.reason)" } : report.problems
        for problem in skips + report.warnings { StandardStream.error.print("processor: \(problem)") }
        StandardStream.output.print(
            json
                ? String(decoding: report.json(action, isDryRun: isDryRun).encoded, as: UTF8.self)
                : text(of: report)
        )
    }

    func text(of report: DeadLetterReport) -> String {
        let deadLetters = report.selected == 1 ? "dead letter" : "dead letters"
        if isDryRun {
            let skipped = report.skipped == 0 ? "" : ", \(report.skipped) would be skipped"
            return
                "\(report.done) of \(report.selected) \(deadLetters) would be \(participle)\(skipped); nothing was written"
        }
        var text = "\(participle) \(report.done) of \(report.selected) \(deadLetters)"
        if report.skipped > 0 { text += ", skipped \(report.skipped)" }
        if report.failed > 0 { text += ", failed \(report.failed)" }
        if report.stillOpen > 0 {
            text += "; \(report.stillOpen) of their operations still open, which `processor payments resolve` ends"
        }
        if report.isCutShort { text += "; stopped before the end" }
        return text
    }

    /// - Throws: exit code 1 where not all that was asked for is so.
    func check(_ report: DeadLetterReport) throws {
        guard report.isClean else { throw ExitCode(ExitStatus.differences.rawValue) }
    }

    private var participle: String {
        switch action {
        case .replay: "replayed"
        case .discard: "discarded"
        }
    }

    // MARK: Progress on a terminal

    /// A line that is written over.
    static func show(progress report: DeadLetterReport) {
        let count = report.done + report.failed + report.skipped
        guard isatty(2) == 1 else { return }
        write("\r\(count) of \(report.selected)")
    }

    private static func endProgress(_ report: DeadLetterReport) {
        if isatty(2) == 1 { write("\r\u{1b}[K") }
    }

    private static func write(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(2, $0.baseAddress, $0.count) }
    }
}

import Core

/// The summary of a batch for people.
struct BatchSummaryText {
    let summary: BatchSummary
    let codes: [Reply.Outcome: [String: BatchTracker.CodeCount]]
    let entries: [BatchEntry]
    let palette: Palette

    /// Several lines, each with its line feed.
    var text: String {
        var table = Table()
        table.add("succeeded", palette.green(MoneyText.grouped(summary.succeeded)))
        table.add("declined", row(summary.declined, .declined, palette.red))
        table.add("rejected", row(summary.rejected, .rejected, palette.yellow))
        table.add("unknown", row(summary.unknown, .unknown, palette.yellow))
        table.add("no reply", summary.noReply > 0 ? palette.yellow(MoneyText.grouped(summary.noReply)) : nil)
        table.add("not sent", summary.notSent > 0 ? palette.yellow(MoneyText.grouped(summary.notSent)) : nil)
        table.add("time", "\(summary.seconds(summary.elapsed)) s\(rate)")
        if let median = summary.median, let percentile99 = summary.percentile99 {
            table.add("latency", "half within \(milliseconds(median)), 99% within \(milliseconds(percentile99))")
        }
        return palette.bold("\(MoneyText.grouped(summary.sent)) commands sent") + "\n" + table.text(palette)
    }

    /// The commonest codes, and the line of the first of each.
    private func row(_ count: Int, _ outcome: Reply.Outcome, _ colour: (String) -> String) -> String? {
        guard count > 0 else { return nil }
        let known = codes[outcome, default: [:]].sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }
        let details = known.prefix(5).map { code, number in
            "\(PlainText.of(code)) \(MoneyText.grouped(number.count)) (first: line \(entries[number.firstIndex].line))"
        }
        return ([colour(MoneyText.grouped(count))] + details).joined(separator: "  ")
    }

    private var rate: String {
        let seconds = summary.elapsed / .seconds(1)
        let completed = summary.succeeded + summary.declined + summary.rejected
        guard seconds > 0, completed > 0 else { return "" }
        return ", \(MoneyText.grouped(Int((Double(completed) / seconds).rounded()))) commands a second"
    }

    private func milliseconds(_ duration: Duration) -> String {
        let tenths = duration.microseconds / 100
        return tenths >= 1_000 ? "\(tenths / 10) ms" : "\(tenths / 10).\(tenths % 10) ms"
    }
}

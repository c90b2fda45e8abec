import Core
import Program

/// How a batch went.
struct BatchSummary: Equatable {
    let sent: Int
    let succeeded: Int
    let declined: Int
    let rejected: Int
    /// Sent, with an `unknown` reply and no final one.
    let unknown: Int
    /// Sent, without any reply.
    let noReply: Int
    let notSent: Int
    let elapsed: Duration
    let median: Duration?
    let percentile99: Duration?

    init(_ tracker: BatchTracker, elapsed: Duration) {
        sent = tracker.sent
        succeeded = tracker.outcomes[.succeeded, default: 0]
        declined = tracker.outcomes[.declined, default: 0]
        rejected = tracker.outcomes[.rejected, default: 0]
        unknown = tracker.unknown + tracker.outcomes[.unknown, default: 0]
        noReply = tracker.open - tracker.unknown
        notSent = tracker.count - tracker.sent
        self.elapsed = elapsed
        median = tracker.latency(share: 0.5)
        percentile99 = tracker.latency(share: 0.99)
    }

    /// The largest that applies (docs/contract.md#exit-codes).
    var status: PublisherStatus {
        if unknown > 0 || noReply > 0 || notSent > 0 { return .unknown }
        if rejected > 0 { return .rejected }
        return declined > 0 ? .declined : .succeeded
    }

    /// `{"summary":{…}}`, compact, names sorted.
    var json: String {
        let members: [String: JSONValue] = [
            "declined": .integer(declined), "no_reply": .integer(noReply), "rejected": .integer(rejected),
            "seconds": .number(seconds(elapsed)), "sent": .integer(sent), "succeeded": .integer(succeeded),
            "unknown": .integer(unknown),
        ]
        return String(decoding: JSONValue.object(["summary": .object(members)]).encoded, as: UTF8.self)
    }

    /// With milliseconds: `12.345`.
    func seconds(_ duration: Duration) -> String {
        let milliseconds = max(duration.microseconds / 1_000, 0)
        let fraction = String(milliseconds % 1_000)
        return "\(milliseconds / 1_000).\(String(repeating: "0", count: 3 - fraction.count))\(fraction)"
    }
}

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

/// The replies of a batch as JSON, a line each, in few large writes.
struct BatchOutput {
    private static let plenty = 64 * 1_024

    /// Otherwise nothing is printed.
    let json: Bool
    private var bytes: [UInt8] = []
    /// The `unknown` replies whose final ones have not come.
    private var provisionals: [Int: [UInt8]] = [:]

    init(json: Bool) {
        self.json = json
    }

    /// A reply that is printed at the end, unless a final one comes.
    mutating func keep(_ body: [UInt8], of index: Int) {
        if json { provisionals[index] = body }
    }

    /// A final one.
    mutating func add(_ body: [UInt8], of index: Int) {
        guard json else { return }
        provisionals[index] = nil
        print(body)
    }

    mutating func flush() {
        guard !bytes.isEmpty else { return }
        StandardStream.output.write(bytes)
        bytes.removeAll(keepingCapacity: true)
    }

    /// Prints what is left.
    mutating func finish() {
        for (_, body) in provisionals.sorted(by: { $0.key < $1.key }) { print(body) }
        provisionals = [:]
        flush()
    }

    private mutating func print(_ body: [UInt8]) {
        bytes.append(contentsOf: body)
        bytes.append(UInt8(ascii: "\n"))
        if bytes.count > Self.plenty { flush() }
    }
}

/// The line that grows while a batch runs.
struct ProgressLine {
    let completed: Int
    let total: Int
    let notSucceeded: Int
    let elapsed: Duration

    /// For a terminal of this many characters.
    func text(width: Int) -> String {
        let share = total == 0 ? 1 : Double(completed) / Double(total)
        let seconds = elapsed / .seconds(1)
        let rate = seconds > 0 ? Int((Double(completed) / seconds).rounded()) : 0
        let failures = notSucceeded > 0 ? "  \(MoneyText.grouped(notSucceeded)) not succeeded" : ""
        let figures =
            " \(Int(share * 100))%  \(MoneyText.grouped(completed)) of \(MoneyText.grouped(total))"
            + "  \(MoneyText.grouped(rate))/s\(failures)"
        let room = min(width - figures.count - 3, 40)
        guard room >= 5 else { return String(figures.dropFirst().prefix(max(width - 1, 0))) }
        let full = Int(share * Double(room))
        return "[" + String(repeating: "#", count: full) + String(repeating: ".", count: room - full) + "]" + figures
    }
}

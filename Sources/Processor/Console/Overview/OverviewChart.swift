/// The last hour as a picture: a bar for each minute, in the colours of the outcomes. Numbers and words of our own, nothing else.
struct OverviewChart: Sendable {
    let minutes: [[CommandOutcome: Int]]

    private static let (width, height, left, bottom, top) = (900, 160, 62, 26, 12)

    /// From the ground up.
    static let order: [CommandOutcome] = [
        .succeeded, .replayed, .declined, .rejected, .unknown, .deferred, .deadLettered,
    ]

    static func name(_ outcome: CommandOutcome) -> String {
        switch outcome {
        case .succeeded: "succeeded"
        case .declined: "declined"
        case .rejected: "rejected"
        case .unknown: "unknown so far"
        case .replayed: "answered from the store"
        case .deferred: "deferred"
        case .deadLettered: "dead-lettered"
        }
    }

    /// Its colour, by the name of a class.
    static func key(_ outcome: CommandOutcome) -> String {
        switch outcome {
        case .deferred: "deferred"
        case .deadLettered: "failed"
        default: outcome.rawValue
        }
    }

    var totals: [(outcome: CommandOutcome, count: Int)] {
        Self.order.map { outcome in (outcome, minutes.reduce(0) { $0 + ($1[outcome] ?? 0) }) }
    }

    var svg: String {
        let highest = minutes.map { $0.values.reduce(0, +) }.max() ?? 0
        let scale = Self.ceiling(highest)
        let plot = Self.height - Self.bottom - Self.top
        let ground = Self.height - Self.bottom
        let step = Double(Self.width - Self.left) / Double(max(minutes.count, 1))
        var svg = """
            <svg class="chart" viewBox="0 0 \(Self.width) \(Self.height)" role="img" aria-label="\(label(highest))">
            """
        for part in [0, 1, 2] {
            let y = ground - plot * part / 2
            svg += #"<line class="grid" x1="\#(Self.left)" x2="\#(Self.width)" y1="\#(y)" y2="\#(y)"/>"#
            svg += #"<text x="\#(Self.left - 6)" y="\#(y + 4)" text-anchor="end">\#(scale * part / 2)</text>"#
        }
        for (index, minute) in minutes.enumerated() {
            var y = Double(ground)
            for outcome in Self.order {
                guard let count = minute[outcome], count > 0 else { continue }
                let height = Double(plot) * Double(count) / Double(scale)
                y -= height
                let x = Double(Self.left) + step * Double(index) + 1
                svg += #"<rect class="bar-\#(Self.key(outcome))" x="\#(Self.tenths(x))" y="\#(Self.tenths(y))" "#
                svg += #"width="\#(Self.tenths(step - 2))" height="\#(Self.tenths(max(height, 0.8)))"/>"#
            }
        }
        let line = Self.height - 4
        svg += #"<text x="\#(Self.left)" y="\#(line)">60 minutes ago</text>"#
        svg += #"<text x="\#(Self.width)" y="\#(line)" text-anchor="end">now</text></svg>"#
        return svg
    }

    private func label(_ highest: Int) -> String {
        let parts = totals.filter { $0.count > 0 }.map { "\($0.count) \(Self.name($0.outcome))" }
        return parts.isEmpty
            ? "No command within the last hour."
            : "Commands a minute within the last hour: \(parts.joined(separator: ", ")). At most \(highest) a minute."
    }

    /// An even number that is easy to read, not below.
    private static func ceiling(_ number: Int) -> Int {
        var unit = 1
        while true {
            for factor in [2, 4, 10] where number <= factor * unit { return factor * unit }
            unit *= 10
        }
    }

    private static func tenths(_ number: Double) -> String {
        let tenths = Int((number * 10).rounded())
        return tenths % 10 == 0 ? "\(tenths / 10)" : "\(tenths / 10).\(tenths % 10)"
    }
}

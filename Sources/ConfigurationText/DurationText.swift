/// Durations as an operator writes them: one whole number and one unit, `250ms`, `15s`, `2m`, `1h`
/// (docs/contract.md#configuration).
package enum DurationText {
    private static let units: [(suffix: String, milliseconds: Int64)] = [
        ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1),
    ]

    /// `nil` where the text is none, or does not fit.
    package static func duration(of text: String) -> Duration? {
        let digits = text.utf8.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        let suffix = text.utf8[digits.endIndex...]
        guard let number = Int64(String(Substring(digits))),
            let unit = units.first(where: { $0.suffix.utf8.elementsEqual(suffix) })
        else { return nil }
        let (milliseconds, overflow) = number.multipliedReportingOverflow(by: unit.milliseconds)
        // Timestamps count in microseconds.
        guard !overflow, milliseconds <= Int64.max / 1_000 else { return nil }
        return .milliseconds(milliseconds)
    }

    /// The largest unit that leaves no fraction; below a millisecond the rest is dropped.
    package static func text(of duration: Duration) -> String {
        let (seconds, attoseconds) = duration.components
        let milliseconds = seconds * 1_000 + attoseconds / 1_000_000_000_000_000
        guard milliseconds != 0 else { return "0s" }
        let unit = units.first { milliseconds % $0.milliseconds == 0 }
        return unit.map { "\(milliseconds / $0.milliseconds)\($0.suffix)" } ?? "\(milliseconds)ms"
    }
}

/// Durations as the configuration writes them: `250ms`, `15s`, `2m`, `1h` (contract.md §5).
enum DurationText {
    /// - Throws: `Failure` naming the option, for anything else, for zero, and for more than 1,000 hours.
    static func duration(_ text: String, option: String) throws(Failure) -> Duration {
        guard let duration = duration(text) else {
            throw Failure(.usage, "\(option) must be a duration such as 250ms, 15s, 2m or 1h")
        }
        return duration
    }

    static func duration(_ text: String) -> Duration? {
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        guard let count = Int64(digits), count > 0, count <= 3_600_000_000 else { return nil }
        let duration: Duration
        switch text.dropFirst(digits.count) {
        case "ms": duration = .milliseconds(count)
        case "s": duration = .seconds(count)
        case "m": duration = .seconds(count * 60)
        case "h": duration = .seconds(count * 3_600)
        default: return nil
        }
        return duration <= .seconds(3_600_000) ? duration : nil
    }
}

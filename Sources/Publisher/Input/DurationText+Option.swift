import ConfigurationText

extension DurationText {
    /// - Throws: `Failure` naming the option, for anything that is no usable duration.
    static func usable(_ text: String, option: String) throws(Failure) -> Duration {
        guard let duration = usable(text) else {
            throw Failure(.usage, "\(option) must be a duration such as 250ms, 15s, 2m or 1h")
        }
        return duration
    }

    /// `nil` for zero and for more than 1,000 hours, too.
    static func usable(_ text: String) -> Duration? {
        duration(of: text).flatMap { $0 > .zero && $0 <= .seconds(3_600_000) ? $0 : nil }
    }
}

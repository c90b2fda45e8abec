import ConfigurationText
import Core

/// A deadline as a person gives it: an RFC 3339 instant, or a duration from now.
enum DeadlineText {
    static func instant(_ text: String, now: Timestamp) throws(Failure) -> Timestamp {
        if let instant = Timestamp(text) { return instant }
        if let duration = DurationText.usable(text) { return now.advanced(by: duration) }
        throw Failure(.usage, "--deadline must be an instant such as 2030-01-31T12:00:00Z or a duration such as 30s")
    }
}

/// An instant, in microseconds since the Unix epoch (what PostgreSQL keeps, and what replies show).
package struct Timestamp: Hashable, Comparable, Sendable {
    package let microseconds: Int64

    package init(microseconds: Int64) {
        self.microseconds = microseconds
    }

    package static func < (left: Timestamp, right: Timestamp) -> Bool { left.microseconds < right.microseconds }

    package func advanced(by duration: Duration) -> Timestamp {
        Timestamp(microseconds: microseconds + duration.microseconds)
    }

    /// Total: a difference that no `Int64` holds counts as the largest that one does.
    package func duration(to later: Timestamp) -> Duration {
        let (difference, isTooLarge) = later.microseconds.subtractingReportingOverflow(microseconds)
        return .microseconds(isTooLarge ? (later > self ? .max : .min) : difference)
    }
}

extension Duration {
    /// Rounded down.
    package var microseconds: Int64 {
        components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000
    }
}

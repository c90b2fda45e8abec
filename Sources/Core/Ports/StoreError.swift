/// Why the store did not do what was asked. Never holds a value of a row.
package struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Code: String, Sendable {
        /// Not reachable, shutting down, or overloaded: the same call may succeed later.
        case unavailable
        /// Reached, but it refused this very work, and will again.
        case refused
        /// What was read does not fit the schema that this version knows.
        case unreadable
        /// The bank's id of an effect belongs to another payment already.
        case bankIDTaken = "bank_id_taken"
    }

    package let code: Code
    /// An SQLSTATE or a driver's code.
    package let detail: String
    /// The connection went away while the commit was under way: it may have happened
    /// (docs/correctness.md#unknown-commit).
    package let outcomeUnknown: Bool

    /// It was reached, and said no for now: a lock, a timeout, no room.
    package let isAnswered: Bool

    package init(_ code: Code, detail: String, outcomeUnknown: Bool = false, isAnswered: Bool = false) {
        self.isAnswered = isAnswered
        self.code = code
        self.detail = detail
        self.outcomeUnknown = outcomeUnknown
    }

    package var isRetriable: Bool { code == .unavailable }

    package var description: String { "store \(code.rawValue) (\(detail))" }
}

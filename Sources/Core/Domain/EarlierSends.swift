/// What became of the requests to the bank that an operation has made so far, as far as their outcome is not known.
///
/// The two kinds are counted apart because they prove different things about a second hold: after a request without a complete
/// answer the bank may have placed one and forgotten its key; a complete error answer is given before anything is executed
/// (docs/bank.md#behaviour).
package struct EarlierSends: Hashable, Sendable {
    /// Requests that may have been executed: no complete answer came, or one that may have been written after the execution.
    package var unanswered: Int
    /// Requests that got a complete error answer, which proves nothing.
    package var failed: Int

    package init(unanswered: Int = 0, failed: Int = 0) {
        self.unanswered = unanswered
        self.failed = failed
    }

    package static let none = EarlierSends()

    /// No earlier request can have had an effect.
    package var isEmpty: Bool { unanswered == 0 && failed == 0 }
}

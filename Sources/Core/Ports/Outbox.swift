/// Messages that wait to be published: written in the commit of what they tell, gone through in order per payment.
package protocol Outbox: Sendable {
    /// Puts the replies that are owed (`PaymentStore.awaitReply`), and whose operation has ended, into the outbox.
    ///
    /// - Parameter limit: how many of those that are owed are checked, those first that have waited longest for it.
    func enqueueAwaited(limit: Int) async throws(StoreError)

    /// Takes those that are next: for each payment and kind of destination the oldest, and none behind it. They are ours for
    /// a while; then whoever takes next gets them again.
    func take(limit: Int, hold: Duration) async throws(StoreError) -> [OutboxEntry]

    /// Notes how the publishing of taken ones ended. Where a row is another message by now, nothing: a database that has lost its last
    /// commits gives the same ids again (docs/correctness.md#the-database-forgets).
    func note(_ endings: [OutboxEnding]) async throws(StoreError)
}

/// How the publishing of a message from the outbox ended.
package struct OutboxEnding: Hashable, Sendable {
    package enum Outcome: Hashable, Sendable {
        case sent
        /// No queue took it: done with, and recorded.
        case undeliverable
        /// To be tried again after that long.
        case postponed(Duration)
    }

    package let entry: OutboxEntry
    package let outcome: Outcome

    package init(_ entry: OutboxEntry, _ outcome: Outcome) {
        self.entry = entry
        self.outcome = outcome
    }
}

/// Why a message became a dead letter, in one word. Raw values are the names in the store, in filters and in the documentation.
package enum DeadLetterCode: String, Sendable, CaseIterable {
    /// It can be answered to nobody.
    case invalidCommand = "invalid_command"
    /// Its operation is in manual review.
    case needsAttention = "needs_attention"
    /// The broker gave it up after too many deliveries.
    case deliveryLimit = "delivery_limit"
    /// No command queue was bound.
    case unrouted
    /// What was to become of it could not be published.
    case unpublishable
    /// The database refused to write about it.
    case storeRefused = "store_refused"
    /// The database holds something that cannot be read.
    case storeUnreadable = "store_unreadable"
    /// Its time at the broker was over.
    case expired
    /// A policy limits the length of its queue.
    case maxlen
    /// It does not say, or the broker gave it up for a reason that is none of these.
    case unknown

    /// All of them, for a sentence.
    package static let names = allCases.map(\.rawValue).joined(separator: ", ")
}

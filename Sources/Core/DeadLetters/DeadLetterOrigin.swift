/// How a message came to the dead letters.
package enum DeadLetterOrigin: Hashable, Sendable {
    /// The processor published it, with the reason in its headers.
    case processor
    /// A queue gave it up.
    ///
    /// - `reason`: the broker's word, such as `delivery_limit`.
    /// - `occurrence`: tells this time from another time that the same message was given up.
    case broker(reason: String, occurrence: String, at: Timestamp?)
    /// No command queue was bound when it was published.
    case unrouted
}

/// A message from the dead letters.
package protocol DeadLetterDelivery: Delivery {
    var origin: DeadLetterOrigin { get }
}

/// How a message came to the dead letters.
package enum DeadLetterOrigin: Hashable, Sendable {
    /// The processor published it, with the reason in its headers.
    case processor
    /// A queue gave it up.
    ///
    /// - `reason`: the broker's word, such as `delivery_limit`.
    /// - `occurrence`: tells this time from another time that the same message was given up.
    case broker(reason: String, occurrence: String, at: Timestamp?)
    /// No command queue was bound when it was published, or came back from a retry tier.
    case unrouted

    /// Whether its time ran out in a command queue.
    var isExpiry: Bool {
        guard case .broker("expired", _, _) = self else { return false }
        return true
    }
}

/// A message from the dead letters.
package protocol DeadLetterDelivery: Delivery {
    var origin: DeadLetterOrigin { get }
}

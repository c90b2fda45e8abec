/// Why a message is a dead letter.
package struct DeadLetterFailure: Hashable, Sendable {
    /// `invalid_command`, `needs_attention`, `delivery_limit`, `unpublishable`, `unrouted`, or what the broker calls it.
    package let code: String
    /// For a person. Never holds a value of the message.
    package let message: String
    package let source: Source
    package let at: Timestamp

    /// Who gave it up. Raw values are the names in the store and in the listings.
    package enum Source: String, Sendable, CaseIterable {
        case processor, broker
    }

    package static let deliveryLimit = "delivery_limit"
    /// The processor could not publish what was to become of it.
    package static let unpublishable = "unpublishable"
    package static let unrouted = "unrouted"
    package static let needsAttention = OperationState.needsAttention.rawValue.lowercased()

    package init(code: String, message: String, source: Source, at: Timestamp) {
        self.code = code
        self.message = message
        self.source = source
        self.at = at
    }
}

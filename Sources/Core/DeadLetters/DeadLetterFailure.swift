/// Why a message is a dead letter.
package struct DeadLetterFailure: Hashable, Sendable {
    /// A `DeadLetterCode`; dead letters of an earlier version may have another one.
    package let code: String
    /// For an operator. Never holds a value of the message.
    package let message: String
    package let source: Source
    package let at: Timestamp

    /// Who gave it up. Raw values are the names in the store and in the listings.
    package enum Source: String, Sendable, CaseIterable {
        case processor, broker
    }

    package static let deliveryLimit = DeadLetterCode.deliveryLimit.rawValue
    /// The processor could not publish what was to become of it.
    package static let unpublishable = DeadLetterCode.unpublishable.rawValue
    package static let unrouted = DeadLetterCode.unrouted.rawValue
    package static let needsAttention = DeadLetterCode.needsAttention.rawValue

    package init(code: String, message: String, source: Source, at: Timestamp) {
        self.code = code
        self.message = message
        self.source = source
        self.at = at
    }
}

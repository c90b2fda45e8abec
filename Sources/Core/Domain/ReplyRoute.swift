import Crypto

/// Where the replies of a command go, and what they carry along.
package struct ReplyRoute: Hashable, Sendable {
    /// A queue reached through the default exchange; `nil` is the default reply queue.
    package let replyTo: String?
    /// The command's `correlation_id`, byte for byte, or its `message_id` where it had none.
    package let correlationID: CorrelationID?
    /// W3C trace context, well-formed or absent.
    package let traceparent: String?
    /// Whether the command named a queue that is not allowed, so that its replies go to the default one.
    package let isReplyToIgnored: Bool

    package init(
        replyTo: String? = nil,
        correlationID: CorrelationID? = nil,
        traceparent: String? = nil,
        isReplyToIgnored: Bool = false
    ) {
        self.replyTo = replyTo
        self.isReplyToIgnored = isReplyToIgnored
        self.correlationID = correlationID
        self.traceparent = traceparent
    }

    /// The same for every message that is answered at one place: a digest of reply queue and correlation id.
    package var addressDigest: [UInt8] {
        var hash = SHA256()
        for part in [replyTo.map { Array($0.utf8) }, correlationID?.bytes] {
            hash.update(data: Array((part.map { "\($0.count):" } ?? "-").utf8) + (part ?? []))
        }
        return Array(hash.finalize())
    }

    /// Of an operation that nobody has asked us for. No command has this address: it is none that `ReplyAddress` allows.
    package static let nobody = ReplyRoute(replyTo: "")

    /// The address in a dead letter of such an operation: an allowed one, of a queue that nobody has declared, so that the reply to its
    /// replay surprises nobody and is recorded as undeliverable.
    package static let nobodysQueue = "replies.nobody"

    package var isNobody: Bool { replyTo?.isEmpty ?? false }
}

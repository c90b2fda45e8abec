/// A message as the broker carries it, reduced to what the contract uses. Adapters translate it to and from the driver's.
package struct Message: Hashable, Sendable {
    package var type: String?
    package var contentType: String?
    package var contentEncoding: String?
    package var messageID: String?
    package var correlationID: CorrelationID?
    package var replyTo: String?
    /// Who has published it, as the broker has checked (`user_id`). Copies of ours carry it in `HeaderName.publishedBy`.
    package var publisher: String?
    /// The broker may let a message of a higher one overtake others.
    package var priority: UInt8?
    package var headers: [String: HeaderValue]
    package var body: [UInt8]
    /// Properties that it has and that are not UTF-8: their texts are `nil`, their bytes travel in `origin`.
    package var unreadable: Set<Property>
    /// Only of a message that was delivered, and of its copies.
    package var origin: MessageOrigin

    package init(
        type: String? = nil,
        contentType: String? = nil,
        contentEncoding: String? = nil,
        messageID: String? = nil,
        correlationID: CorrelationID? = nil,
        replyTo: String? = nil,
        publisher: String? = nil,
        priority: UInt8? = nil,
        headers: [String: HeaderValue] = [:],
        body: [UInt8] = [],
        unreadable: Set<Property> = [],
        origin: MessageOrigin = MessageOrigin()
    ) {
        self.type = type
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.messageID = messageID
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.publisher = publisher
        self.priority = priority
        self.headers = headers
        self.body = body
        self.unreadable = unreadable
        self.origin = origin
    }

    /// The properties that must be text. Raw values are the names of the protocol.
    package enum Property: String, Hashable, Sendable, CaseIterable {
        case type
        case contentType = "content_type"
        case contentEncoding = "content_encoding"
        case messageID = "message_id"
        case replyTo = "reply_to"
    }

    /// Whether the broker may have let it overtake messages that were published before it: RabbitMQ 4 has two classes of priority in
    /// a quorum queue, and the higher one begins here.
    package var mayHaveOvertaken: Bool { priority ?? 0 >= 5 }

    /// A copy for the retry tiers or the dead-letter queue, without what must not travel
    /// (docs/correctness.md#copied-headers, docs/correctness.md#order-lost-at-the-broker): `x-death` would make the
    /// broker drop the message as a cycle, `CC` and `BCC` would route it elsewhere too, and by its priority it would
    /// overtake others.
    package func cleanCopy(adding additions: [String: HeaderValue] = [:]) -> Message {
        var copy = self
        copy.priority = nil
        copy.headers = headers.filter { name, _ in
            let name = name.lowercased()
            // Where it was before says nothing of where it goes next.
            return !name.hasPrefix("x-") && name != "cc" && name != "bcc" && name != HeaderName.unroutedSince
        }
        if let publisher {
            copy.headers[HeaderName.publishedBy] = .string(publisher)
            copy.publisher = nil
        }
        copy.headers.merge(additions) { _, added in added }
        return copy
    }
}

/// The value of a message header: what the contract gives a meaning to. Any other type is `other`, and invalid wherever a type is asked for.
package enum HeaderValue: Hashable, Sendable {
    case string(String)
    case integer(Int64)
    case bool(Bool)
    case other

    package var string: String? {
        guard case .string(let text) = self else { return nil }
        return text
    }

    package var integer: Int64? {
        guard case .integer(let value) = self else { return nil }
        return value
    }
}

/// What the adapter that took a message knows of it beyond the contract: opaque here, carried along by a copy, so that a message that
/// waits on a retry tier loses nothing there.
///
/// It is no part of what a message says: two messages that differ in nothing else are equal.
package struct MessageOrigin: Hashable, Sendable, CustomReflectable {
    /// `nil` where the message was made here.
    package let value: (any Sendable)?

    package init(_ value: (any Sendable)? = nil) {
        self.value = value
    }

    package static func == (_: MessageOrigin, _: MessageOrigin) -> Bool { true }

    package func hash(into _: inout Hasher) {}

    /// Shows nothing: whatever a client sent may be in it.
    package var customMirror: Mirror { Mirror(self, children: []) }
}

/// A message: its properties and its body.
package struct AMQPMessage: Sendable, Equatable {
    package var properties: AMQPProperties
    package var body: [UInt8]

    package init(properties: AMQPProperties = AMQPProperties(), body: [UInt8] = []) {
        self.properties = properties
        self.body = body
    }
}

/// The properties of the AMQP 0-9-1 class `basic`. The texts are at most 255 bytes on the wire, and AMQP does not say which: one
/// that is not UTF-8 is `nil` and its bytes are in `undecoded`, so that a copy carries them on unchanged.
package struct AMQPProperties: Sendable, Equatable {
    package var contentType: String?
    package var contentEncoding: String?
    package var headers: AMQPTable
    package var deliveryMode: DeliveryMode?
    package var priority: UInt8?
    package var correlationID: String?
    package var replyTo: String?
    /// Milliseconds, as decimal digits.
    package var expiration: String?
    package var messageID: String?
    /// Seconds since 1970.
    package var timestamp: UInt64?
    package var type: String?
    /// The broker closes the channel (406) when it is not the connection's user.
    package var userID: String?
    package var appID: String?
    /// The bytes of those texts that are not UTF-8. On the way out, a text that is not `nil` wins.
    package var undecoded: [Text: [UInt8]] = [:]

    package init(
        contentType: String? = nil,
        contentEncoding: String? = nil,
        headers: AMQPTable = [:],
        deliveryMode: DeliveryMode? = nil,
        priority: UInt8? = nil,
        correlationID: String? = nil,
        replyTo: String? = nil,
        expiration: String? = nil,
        messageID: String? = nil,
        timestamp: UInt64? = nil,
        type: String? = nil,
        userID: String? = nil,
        appID: String? = nil
    ) {
        self.contentType = contentType
        self.contentEncoding = contentEncoding
        self.headers = headers
        self.deliveryMode = deliveryMode
        self.priority = priority
        self.correlationID = correlationID
        self.replyTo = replyTo
        self.expiration = expiration
        self.messageID = messageID
        self.timestamp = timestamp
        self.type = type
        self.userID = userID
        self.appID = appID
    }
}

extension AMQPProperties {
    /// The properties that are short strings. Raw values are the names of the protocol.
    package enum Text: String, Sendable, CaseIterable {
        case contentType = "content_type"
        case contentEncoding = "content_encoding"
        case correlationID = "correlation_id"
        case replyTo = "reply_to"
        case expiration
        case messageID = "message_id"
        case type
        case userID = "user_id"
        case appID = "app_id"
    }

    /// Whether the broker keeps the message over a restart. Any number may be on the wire; two have a meaning.
    package struct DeliveryMode: RawRepresentable, Sendable, Equatable {
        package let rawValue: UInt8

        package init(rawValue: UInt8) {
            self.rawValue = rawValue
        }

        package static let transient = DeliveryMode(rawValue: 1)
        package static let persistent = DeliveryMode(rawValue: 2)
    }
}

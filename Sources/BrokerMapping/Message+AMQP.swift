package import AMQP
package import Core

extension Message {
    /// What the contract uses of a message from the broker. What it does not use (timestamp, application id, …) and header values
    /// of types it knows nothing of travel in `origin`, for a copy; so do the bytes of properties that are not UTF-8.
    package init(_ message: AMQPMessage) {
        let properties = message.properties
        self.init(
            type: properties.type,
            contentType: properties.contentType,
            contentEncoding: properties.contentEncoding,
            messageID: properties.messageID,
            correlationID: properties.correlationID.map { CorrelationID($0) }
                ?? properties.undecoded[.correlationID].map(CorrelationID.init(bytes:)),
            replyTo: properties.replyTo,
            publisher: properties.userID,
            priority: properties.priority,
            headers: Self.headers(properties.headers),
            body: message.body,
            unreadable: Set(properties.undecoded.keys.compactMap { Property(rawValue: $0.rawValue) }),
            origin: MessageOrigin(properties)
        )
    }

    /// Of a name that arrives twice the first counts, as for RabbitMQ.
    private static func headers(_ table: AMQPTable) -> [String: HeaderValue] {
        var headers = [String: HeaderValue](minimumCapacity: table.count)
        for (name, value) in table where headers[name] == nil { headers[name] = HeaderValue(value) }
        return headers
    }
}

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

extension AMQPMessage {
    /// A message to publish: persistent, as all of ours are (docs/contract.md#topology).
    ///
    /// A copy of a delivery gets from its origin the values of its `other` headers, the headers and properties that are not UTF-8, its
    /// timestamp and its application id. Never its
    /// `user_id`, for which the broker would close the channel (docs/correctness.md#copied-headers), nor its `expiration`, which would
    /// cut the copy's stay in a retry queue short. A header whose value is `other` has otherwise nothing to send.
    package init(_ message: Message) {
        let original = message.origin.value as? AMQPProperties
        var headers: [AMQPTable.Element] = []
        headers.reserveCapacity(message.headers.count)
        for (name, value) in message.headers {
            guard let value = AMQPValue(value) ?? original?.headers[name] else { continue }
            headers.append((name, value))
        }
        var table = AMQPTable(headers)
        table.unnamed = original?.headers.unnamed ?? []
        var properties = AMQPProperties(
            contentType: message.contentType,
            contentEncoding: message.contentEncoding,
            headers: table,
            deliveryMode: .persistent,
            priority: message.priority,
            correlationID: message.correlationID?.text,
            replyTo: message.replyTo,
            messageID: message.messageID,
            timestamp: original?.timestamp,
            type: message.type,
            appID: original?.appID
        )
        if let id = message.correlationID, id.text == nil { properties.undecoded[.correlationID] = id.bytes }
        properties.undecoded[.appID] = original?.undecoded[.appID]
        for property in message.unreadable {
            guard let name = AMQPProperties.Text(rawValue: property.rawValue) else { continue }
            properties.undecoded[name] = original?.undecoded[name]
        }
        self.init(properties: properties, body: message.body)
    }
}

extension HeaderValue {
    /// A text that is not UTF-8 arrives as bytes, and so is `other`: no rule takes it for a string.
    package init(_ value: AMQPValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .bool(let flag): self = .bool(flag)
        case .int(let number): self = .integer(number)
        case .unsigned(let number): self = Int64(exactly: number).map(HeaderValue.integer) ?? .other
        case .double, .bytes, .timestamp, .decimal, .array, .table, .void: self = .other
        }
    }
}

extension AMQPValue {
    /// `nil` for `other`, which says that there is a value but not which.
    package init?(_ value: HeaderValue) {
        switch value {
        case .string(let text): self = .string(text)
        case .integer(let number): self = .int(number)
        case .bool(let flag): self = .bool(flag)
        case .other: return nil
        }
    }
}

extension AMQPTable {
    /// The arguments of an exchange or a queue.
    package init(_ arguments: [String: HeaderValue]) {
        self.init(arguments.compactMap { name, value in AMQPValue(value).map { (key: name, value: $0) } })
    }
}

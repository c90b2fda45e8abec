package import AMQP
package import Core

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

package import AMQP
package import Core

extension AMQPMessage {
    /// A message to publish: persistent, as all of ours are (docs/contract.md#topology).
    ///
    /// A copy of a delivery gets from its origin the values of its `other` headers, its timestamp and its application id. Never its
    /// `user_id`, for which the broker would close the channel (docs/correctness.md#copied-headers), nor its
    /// `expiration`, which would cut the copy's stay in a retry queue short. A header whose value is `other` has
    /// otherwise nothing to send.
    package init(_ message: Message) {
        let original = message.origin.value as? AMQPProperties
        var headers: [AMQPTable.Element] = []
        headers.reserveCapacity(message.headers.count)
        for (name, value) in message.headers {
            guard let value = AMQPValue(value) ?? original?.headers[name] else { continue }
            headers.append((name, value))
        }
        self.init(
            properties: AMQPProperties(
                contentType: message.contentType,
                contentEncoding: message.contentEncoding,
                headers: AMQPTable(headers),
                deliveryMode: .persistent,
                priority: message.priority,
                correlationID: message.correlationID,
                replyTo: message.replyTo,
                messageID: message.messageID,
                timestamp: original?.timestamp,
                type: message.type,
                appID: original?.appID
            ),
            body: message.body
        )
    }
}

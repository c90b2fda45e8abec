package import AMQP
package import Core

extension AMQPMessage {
    /// A message to publish: persistent, as all of ours are (contract.md §1).
    ///
    /// - Parameters:
    ///   - message: a header whose value is `other` has nothing to send and is left out, unless `original` has it.
    ///   - original: the delivery that `message` is a copy of. Gives the copy the values of its `other` headers, its
    ///     timestamp, its application id and its priority. Never its `user_id`, for which the broker would close the channel
    ///     (trap P12), nor its `expiration`, which would cut the copy's stay in a retry queue short.
    package init(_ message: Message, original: AMQPMessage? = nil) {
        var headers: [AMQPTable.Element] = []
        headers.reserveCapacity(message.headers.count)
        for (name, value) in message.headers {
            guard let value = AMQPValue(value) ?? original?.properties.headers[name] else { continue }
            headers.append((name, value))
        }
        self.init(
            properties: AMQPProperties(
                contentType: message.contentType,
                contentEncoding: message.contentEncoding,
                headers: AMQPTable(headers),
                deliveryMode: .persistent,
                priority: original?.properties.priority,
                correlationID: message.correlationID,
                replyTo: message.replyTo,
                messageID: message.messageID,
                timestamp: original?.properties.timestamp,
                type: message.type,
                appID: original?.properties.appID
            ),
            body: message.body
        )
    }
}

package import Core

/// A message that an upstream service wants to be done, once; it may have to send it more often.
package struct Intent: Sendable {
    package enum Sort: Sendable {
        case command
        /// Gets a reply that says so.
        case invalid
        /// Goes to the dead letters.
        case unanswerable
    }

    package let sort: Sort
    package let payment: String
    package let merchant: String
    package let key: String
    /// Equal for equal commands, as the fingerprint sees them.
    package let meaning: String
    /// Its correlation id and message id are its own, and are kept when it is sent again.
    package let message: Message

    package var id: String { message.correlationID?.description ?? "" }

    /// The same, asked once more by another message, which reads its reply for sure.
    func again(_ id: String) -> Intent {
        var message = message
        message.messageID = id
        message.correlationID = CorrelationID(id)
        message.replyTo = nil
        message.headers[HeaderName.deadline] = nil
        message.headers[SimulatedBroker.expiration] = nil
        return Intent(sort: sort, payment: payment, merchant: merchant, key: key, meaning: meaning, message: message)
    }
}

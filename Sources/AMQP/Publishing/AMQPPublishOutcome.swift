/// What the broker did with a message.
package enum AMQPPublishOutcome: Sendable, Equatable {
    /// Taken over. Without `mandatory` this does not mean that any queue got it.
    case confirmed
    /// Mandatory, and no queue to route it to (312 `NO_ROUTE`): not taken.
    case returned(replyCode: UInt16, replyText: String)
    /// Refused: a queue with `reject-publish` is full, or the broker failed inside.
    case nacked
}

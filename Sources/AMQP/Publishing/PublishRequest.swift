/// One call of `publish`, on its way to the connection's thread.
final class PublishRequest: Sendable {
    typealias Answer = Result<AMQPPublishOutcome, AMQPError>

    let id: UInt64
    let message: AMQPMessage
    let exchange: String
    let routingKey: String
    let mandatory: Bool
    /// Whether no other message may be on its channel.
    let isAlone: Bool
    /// Whether messages with other routing keys need not keep their order with it.
    let isApart: Bool
    let deadline: MonotonicTime?
    private let continuation: CheckedContinuation<Answer, Never>

    init(
        id: UInt64,
        message: AMQPMessage,
        exchange: String,
        routingKey: String,
        mandatory: Bool,
        isAlone: Bool,
        isApart: Bool,
        deadline: MonotonicTime?,
        continuation: CheckedContinuation<Answer, Never>
    ) {
        self.id = id
        self.message = message
        self.exchange = exchange
        self.routingKey = routingKey
        self.mandatory = mandatory
        self.isAlone = isAlone
        self.isApart = isApart
        self.deadline = deadline
        self.continuation = continuation
    }

    /// Called exactly once: by whoever takes the request out of the queue or the window that holds it.
    func answer(_ answer: Answer) {
        continuation.resume(returning: answer)
    }
}

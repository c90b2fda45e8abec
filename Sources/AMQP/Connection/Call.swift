/// A synchronous method of AMQP, or a few in a row that must not be torn apart, and who waits for the answer.
///
/// Nothing blocks: each step is written in a turn, and the dispatcher of frames brings the answer.
struct Call {
    struct Step {
        let reply: UInt32
        let send: (BrokerLink) -> BrokerLink.Status
    }

    /// What the answers carry that anybody wants to know.
    struct Reply {
        var queue = ""
        var messageCount = 0
        var consumerCount = 0
    }

    typealias Answer = Result<Reply, AMQPError>

    private let steps: [Step]
    private var current = 0
    var deadline: MonotonicTime
    private var continuation: CheckedContinuation<Answer, Never>?

    init(_ steps: [Step], deadline: MonotonicTime, continuation: CheckedContinuation<Answer, Never>?) {
        self.steps = steps
        self.deadline = deadline
        self.continuation = continuation
    }

    func send(_ link: BrokerLink) -> BrokerLink.Status {
        steps[current].send(link)
    }

    /// - Returns: whether there is another step to send; nil when this is not the answer to the current one.
    mutating func advance(_ reply: UInt32) -> Bool? {
        guard steps[current].reply == reply else { return nil }
        current += 1
        return current < steps.count
    }

    /// At most the first answer reaches the caller.
    mutating func answer(_ answer: Answer) {
        continuation?.resume(returning: answer)
        continuation = nil
    }
}

import Synchronization
import ThreadExecutor

/// Where callers on any thread leave their messages for the connection's thread, which takes them by the heap: one lock
/// and, at most once per heap, one wake-up, but no hop and no task for a message.
final class PublishQueue: Sendable {
    struct Content {
        var requests: [PublishRequest] = []
        /// Callers that were cancelled. May name requests that are answered by now.
        var cancellations: [UInt64] = []

        var isEmpty: Bool { requests.isEmpty && cancellations.isEmpty }
    }

    private struct State {
        var content = Content()
        var failure: AMQPError?
    }

    private let state = Mutex(State())
    private let executor: ThreadExecutor

    init(executor: ThreadExecutor) {
        self.executor = executor
    }

    /// Why nothing is taken any more.
    var failure: AMQPError? { state.withLock { $0.failure } }

    func add(_ request: PublishRequest) {
        let (failure, isFirst) = state.withLock { state -> (AMQPError?, Bool) in
            if let failure = state.failure { return (failure, false) }
            let isFirst = state.content.isEmpty
            state.content.requests.append(request)
            return (nil, isFirst)
        }
        if let failure { request.answer(.failure(failure)) }
        if isFirst { executor.wake() }
    }

    func cancel(_ id: UInt64) {
        let isFirst = state.withLock { state in
            guard state.failure == nil else { return false }
            defer { state.content.cancellations.append(id) }
            return state.content.isEmpty
        }
        if isFirst { executor.wake() }
    }

    /// Swaps the heap against an empty one, whose memory is used again.
    func take(into content: inout Content) {
        state.withLock { swap(&$0.content, &content) }
    }

    /// From now on every caller gets this error.
    ///
    /// - Returns: what had not been taken yet, for the caller to answer.
    func close(_ failure: AMQPError) -> [PublishRequest] {
        state.withLock { state in
            state.failure = failure
            defer { state.content = Content() }
            return state.content.requests
        }
    }
}

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

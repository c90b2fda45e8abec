import CRabbitMQ

/// A channel: whether it is open, and its calls, one under way at a time.
///
/// Opened when first needed, and again after the broker has closed it: the calls that were not under way then go out on
/// the reopened channel.
struct Channel {
    enum Phase {
        case closed
        case opening
        case open
    }

    let number: UInt16
    private let withConfirms: Bool
    private(set) var phase = Phase.closed
    private var underWay: Call?
    private var waiting = FIFO<Call>()

    init(number: UInt16, withConfirms: Bool = false) {
        self.number = number
        self.withConfirms = withConfirms
    }

    var isIdle: Bool { underWay == nil && waiting.isEmpty }

    var deadline: MonotonicTime? { underWay?.deadline }

    mutating func add(_ call: Call) {
        waiting.append(call)
    }

    /// Sends what can be sent now.
    ///
    /// - Parameters:
    ///   - link: where to write to.
    ///   - isNeeded: open the channel even though no call waits for it.
    /// - Returns: the library's status of the write; 0 when there was nothing to write.
    mutating func pump(_ link: BrokerLink, isNeeded: Bool = false) -> BrokerLink.Status {
        guard underWay == nil else { return 0 }
        switch phase {
        case .opening: return 0
        case .closed:
            guard isNeeded || !waiting.isEmpty else { return 0 }
            phase = .opening
            underWay = Call(opening(), deadline: Call.deadline(), continuation: nil)
        case .open:
            underWay = waiting.popFirst()
        }
        return underWay?.send(link) ?? 0
    }

    /// An answer of the broker.
    ///
    /// - Returns: false when nothing was asked that it could answer.
    mutating func receive(
        _ method: UInt32,
        _ reply: Call.Reply,
        _ link: BrokerLink,
        _ status: inout BrokerLink.Status
    ) -> Bool {
        guard let hasNext = underWay?.advance(method) else { return false }
        if hasNext {
            status = underWay?.send(link) ?? 0
        } else {
            underWay?.answer(.success(reply))
            underWay = nil
            if phase == .opening { phase = .open }
        }
        return true
    }

    /// The broker has closed the channel: the call under way is what it refused, if there is one.
    mutating func closed(_ error: AMQPError) {
        phase = .closed
        underWay?.answer(.failure(error))
        underWay = nil
    }

    /// The connection is over.
    mutating func failAll(_ error: AMQPError) {
        closed(error)
        for var call in waiting.removeAll() { call.answer(.failure(error)) }
    }

    /// Answers the caller of an overdue call, which stays under way: its answer may come yet.
    mutating func giveUpOverdueCall(_ now: MonotonicTime) {
        guard let deadline, deadline <= now else { return }
        underWay?.answer(.failure(AMQPError(.timeout, outcomeUnknown: true)))
        underWay?.deadline = .distantFuture
    }

    private func opening() -> [Call.Step] {
        let number = number
        let open = Call.Step(reply: AMQP_CHANNEL_OPEN_OK_METHOD) { link in
            link.send(AMQP_CHANNEL_OPEN_METHOD, on: number, amqp_channel_open_t())
        }
        let confirms = Call.Step(reply: AMQP_CONFIRM_SELECT_OK_METHOD) { link in
            link.send(AMQP_CONFIRM_SELECT_METHOD, on: number, amqp_confirm_select_t(nowait: 0))
        }
        return withConfirms ? [open, confirms] : [open]
    }
}

extension Call.Step {
    /// Closes a channel.
    static func closing(_ number: UInt16) -> Call.Step {
        Call.Step(reply: AMQP_CHANNEL_CLOSE_OK_METHOD) { link in
            let close = amqp_channel_close_t(reply_code: 200, reply_text: amqp_bytes_t(), class_id: 0, method_id: 0)
            return link.send(AMQP_CHANNEL_CLOSE_METHOD, on: number, close)
        }
    }
}

extension Call {
    /// Long, because declaring a queue in a cluster that is just starting takes its time.
    static func deadline() -> MonotonicTime { MonotonicTime.now().advanced(by: .seconds(30)) }
}

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

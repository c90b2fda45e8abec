import CRabbitMQ
import Synchronization

extension AMQPConnection {
    /// Bytes written between two checks whether the socket takes more.
    private static let bytesPerCheck = 64 * 1_024
    /// What a frame holds besides a table of headers, at most: the other properties.
    private static let propertiesReserve = 4_096

    /// Publishes a message and waits for the broker's confirm. Any number of callers at once; the messages to one exchange, or to one
    /// queue by way of the default exchange, leave in the order of the calls, as many in one go as may be unconfirmed.
    ///
    /// While the broker has blocked the connection, or does not read fast enough, messages wait here, unsent. A message
    /// larger than the socket's buffer occupies the thread until it is written.
    ///
    /// - Parameters:
    ///   - message: what to publish.
    ///   - exchange: its name; empty for the default exchange.
    ///   - routingKey: at the default exchange the name of a queue.
    ///   - mandatory: have it returned when no queue gets it; otherwise it is dropped and confirmed.
    ///   - alone: on a channel where no other message is: when the broker closes it, this message is why.
    ///   - apart: on a channel for the exchange and routing key: what goes elsewhere by the exchange need not keep its order with it, and
    ///     is not held up by its queue. At the default exchange it is always so.
    ///   - timeout: how long to wait for the confirm; nil for as long as the connection lives.
    /// - Returns: what the broker did with it.
    /// - Throws: `confirmTimeout`, `cancelled`, or why the connection or the publishing channel has ended; with
    ///   `outcomeUnknown` when the message was handed to the broker before. `invalidArgument` when it cannot be encoded.
    package nonisolated(nonsending) func publish(
        _ message: AMQPMessage,
        exchange: String,
        routingKey: String,
        mandatory: Bool = true,
        alone: Bool = false,
        apart: Bool = false,
        timeout: Duration? = nil
    ) async throws(AMQPError) -> AMQPPublishOutcome {
        let id = lastRequest.wrappingAdd(1, ordering: .relaxed).newValue
        let deadline = timeout.map { MonotonicTime.now().advanced(by: $0) }
        let answer = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                publishQueue.add(
                    PublishRequest(
                        id: id,
                        message: message,
                        exchange: exchange,
                        routingKey: routingKey,
                        mandatory: mandatory,
                        isAlone: alone,
                        isApart: apart,
                        deadline: deadline,
                        continuation: continuation
                    )
                )
                // A cancellation before the line above may have come before the message; said twice, it does no harm.
                if Task.isCancelled { publishQueue.cancel(id) }
            }
        } onCancel: {
            publishQueue.cancel(id)
        }
        return try answer.get()
    }

    func takePublishes() {
        publishQueue.take(into: &publishing.taken)
        guard !publishing.taken.isEmpty else { return }
        accept(publishing.taken.requests)
        publishing.taken.requests.removeAll(keepingCapacity: true)
        guard !publishing.taken.cancellations.isEmpty else { return }
        publishing.cancel(Set(publishing.taken.cancellations))
        publishing.taken.cancellations.removeAll(keepingCapacity: true)
    }

    func accept(_ requests: [PublishRequest]) {
        for request in requests {
            if let problem = problem(with: request) {
                request.answer(.failure(AMQPError(.invalidArgument, problem: problem)))
            } else {
                publishing.add(request)
                note(deadline: request.deadline)
            }
        }
    }

    private func problem(with request: PublishRequest) -> String? {
        guard request.exchange.utf8.count <= 255 else { return "the exchange's name is longer than 255 bytes" }
        guard request.routingKey.utf8.count <= 255 else { return "the routing key is longer than 255 bytes" }
        let frameMax = link?.frameMax ?? 0
        return request.message.properties.encodingProblem(maximumHeaderSize: frameMax - Self.propertiesReserve)
    }

    /// - Returns: whether it stopped because the socket is full.
    func writePublishes(_ link: BrokerLink) -> Bool {
        guard !isBlocked else { return false }
        var bytes = 0
        for index in publishing.lanes.indices {
            while end == nil, let request = publishing.withLane(index, { $0.next() }) {
                check(link.publish(request, on: publishing.lanes[index].channel.number))
                bytes += request.message.body.count + 512
                guard bytes > Self.bytesPerCheck else { continue }
                bytes = 0
                if !link.isWritable { return publishing.isWaiting }
            }
        }
        return false
    }

    func confirmed(_ tag: UInt64, multiple: Bool, outcome: AMQPPublishOutcome, on channel: UInt16) {
        let isKnown = publishing.index(ofChannel: channel).map { index in
            publishing.withLane(index) { $0.window.confirm(tag, multiple: multiple, outcome: outcome) }
        }
        if isKnown != true { finish(AMQPError(.protocolViolation, problem: "a confirm of a message never sent")) }
        guard outcome == .nacked, let index = publishing.index(ofChannel: channel) else { return }
        note(deadline: publishing.withLane(index) { $0.refused(now: .now()) })
    }

    /// Closes the channels that are to be opened anew.
    func closeForRenewal() {
        for index in publishing.lanes.indices where publishing.lanes[index].isDueForRenewal {
            let close = Call.Step.closing(publishing.lanes[index].channel.number)
            publishing.withLane(index) { $0.close(close) }
        }
    }

    func returned(_ content: IncomingContent.Returned, _ message: AMQPMessage, lane index: Int) {
        let isKnown = publishing.withLane(index) { lane in
            lane.window.markReturned(
                message,
                exchange: content.exchange,
                routingKey: content.routingKey,
                as: .returned(replyCode: content.replyCode, replyText: content.replyText)
            )
        }
        // Its confirm would otherwise be taken for success.
        if !isKnown { finish(AMQPError(.protocolViolation, problem: "a message returned that was never sent")) }
    }
}

/// What the broker did with a message.
package enum AMQPPublishOutcome: Sendable, Equatable {
    /// Taken over. Without `mandatory` this does not mean that any queue got it.
    case confirmed
    /// Mandatory, and no queue to route it to (312 `NO_ROUTE`): not taken.
    case returned(replyCode: UInt16, replyText: String)
    /// Refused: a queue with `reject-publish` is full, or the broker failed inside.
    case nacked
}

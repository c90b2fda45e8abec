import AMQP
import BrokerMapping
import Core

/// Publishes on a connection of its own: one that the broker has blocked must not keep the acknowledgements waiting.
///
/// What the broker does not take is distinguished: it is away, the destination is missing, forbidden or silent, or the
/// message is at fault.
struct BrokerSink: MessageSink {
    let session: AMQPSession
    let names: BrokerNames
    let gate: DestinationGate
    let confirms: ConfirmGate
    /// `nil` for commands of an operator, who are notified by the outcome.
    let watch: TopologyWatch?

    init(session: AMQPSession, names: BrokerNames, watch: TopologyWatch? = nil) {
        self.session = session
        self.names = names
        self.watch = watch
        gate = watch?.gate ?? DestinationGate()
        confirms = watch?.confirms ?? ConfirmGate(limit: 1)
    }

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        let (exchange, routingKey) = address(of: destination)
        try gate.pass(exchange)
        guard destination.hasOneQueue else {
            return try await publish(message, to: destination, patience: destination.patience)
        }
        let route = ConfirmGate.Route(exchange: exchange, key: routingKey)
        let isExcess = try confirms.enter(route)
        let outcome: PublishOutcome
        do throws(SinkError) {
            let patience = isExcess ? ConfirmGate.grace : destination.patience
            outcome = try await publish(message, to: destination, patience: patience)
        } catch {
            guard confirms.leave(route, error.kind == .silentDestination ? .unanswered : .unknown) else {
                // Others have been answered in the meantime.
                throw error.kind == .silentDestination ? SinkError(detail: error.detail) : error
            }
            let trouble = ConfirmGate.trouble(route)
            watch?.note(trouble.object, trouble.problem)
            throw SinkError(.silentDestination, detail: "\(trouble)")
        }
        _ = confirms.leave(route, .answered)
        watch?.troubles.clear([ConfirmGate.trouble(route).object], of: .silent)
        return outcome
    }

    private func publish(
        _ message: Message,
        to destination: Destination,
        patience: Duration
    ) async throws(SinkError) -> PublishOutcome {
        let (exchange, routingKey) = address(of: destination)
        var isAlone = false
        while true {
            var connection: AMQPConnection?
            do throws(AMQPError) {
                let current = try await session.connection(timeout: destination.patience)
                connection = current
                let outcome = try await current.publish(
                    AMQPMessage(message),
                    exchange: exchange,
                    routingKey: routingKey,
                    mandatory: destination.isMandatory,
                    alone: isAlone,
                    apart: destination.hasOneQueue,
                    timeout: patience
                )
                return note(outcome, of: destination, exchange, routingKey)
            } catch {
                // The broker does not say which message of the channel it does not take: alone, it is this one or it is not.
                if error.code == .channelClosed(replyCode: 406), !isAlone {
                    isAlone = true
                    continue
                }
                // A broker that has an alarm reads nothing, and says nothing of the queue.
                if error.code == .confirmTimeout, error.outcomeUnknown, destination.hasOneQueue,
                    await connection?.isBlocked == false
                {
                    throw SinkError(.silentDestination, detail: error.description)
                }
                throw sinkError(error, of: destination, exchange)
            }
        }
    }

    private func note(
        _ outcome: AMQPPublishOutcome,
        of destination: Destination,
        _ exchange: String,
        _ routingKey: String
    ) -> PublishOutcome {
        gate.open(exchange)
        watch?.troubles.clear([.exchange(exchange)])
        switch outcome {
        case .confirmed:
            if destination.isMandatory, destination.isOurQueue {
                watch?.troubles.clear([.route(exchange: exchange, key: routingKey)])
            }
            return .confirmed
        case .returned:
            if destination.isOurQueue { watch?.note(.route(exchange: exchange, key: routingKey), .missing) }
            return .unroutable
        case .nacked: return .refused
        }
    }

    private func sinkError(_ error: AMQPError, of destination: Destination, _ exchange: String) -> SinkError {
        let kind = SinkError.Kind(error)
        let problem: BrokerTrouble.Problem
        switch error.code {
        case .channelClosed(replyCode: 404): problem = .missing
        case .channelClosed(replyCode: 403): problem = .forbidden
        case .confirmTimeout where destination.isEvent && error.outcomeUnknown: problem = .silent
        default: return SinkError(kind, detail: error.description)
        }
        gate.close(exchange, detail: "\(BrokerTrouble(object: .exchange(exchange), problem: problem))")
        watch?.note(.exchange(exchange), problem)
        return SinkError(kind, detail: "\(BrokerTrouble(object: .exchange(exchange), problem: problem))")
    }

    private func address(of destination: Destination) -> (exchange: String, routingKey: String) {
        switch destination {
        // The routing key is free: the exchange goes by the payment id.
        case .commands: (names.commandsExchange, "")
        // By way of the default exchange, which routes to the queue of that name.
        case .replies(let queue): ("", queue ?? names.repliesQueue)
        case .retry(let tier): (names.retryExchange, tier.rawValue)
        case .deadLetters: (names.deadLetters, names.deadLettersKey)
        case .event(let event): (names.eventsExchange, event.routingKey)
        case .sweeps: (names.sweeps, names.sweepsKey)
        }
    }
}

extension SinkError.Kind {
    init(_ error: AMQPError) {
        switch error.code {
        case .channelClosed(replyCode: 403), .channelClosed(replyCode: 404): self = .unusableDestination
        case .channelClosed(replyCode: 406), .invalidArgument: self = .unpublishable
        default: self = .unavailable
        }
    }
}

extension Destination {
    /// For the connection, and again for the confirm; who calls decides whether to try once more. Nobody waits for the queues that
    /// listen to events.
    fileprivate var patience: Duration {
        if case .event = self { return .seconds(2) }
        return .seconds(10)
    }

    fileprivate var isEvent: Bool {
        if case .event = self { return true }
        return false
    }

    /// Whether one queue is behind it, so that its silence says nothing of others.
    fileprivate var hasOneQueue: Bool {
        switch self {
        case .replies, .retry, .deadLetters, .sweeps: true
        case .commands, .event: false
        }
    }

    /// Not a client's, and not one behind a topic.
    fileprivate var isOurQueue: Bool {
        switch self {
        case .replies(let queue): queue == nil
        case .retry, .deadLetters, .sweeps: true
        case .commands, .event: false
        }
    }
}

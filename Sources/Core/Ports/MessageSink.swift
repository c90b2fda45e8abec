/// Where messages are published. A call returns when the broker has confirmed, returned or refused the message.
package protocol MessageSink: Sendable {
    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome
}

/// Where a message goes, by its role; the adapter knows the names.
package enum Destination: Hashable, Sendable {
    /// The command queues, as an upstream service publishes: for the replay of a dead letter.
    case commands
    /// A reply queue; `nil` is the default one.
    case replies(String?)
    case retry(RetryTier)
    case deadLetters
    case event(PaymentEvent.Name)
    /// The ticks of the schedule.
    case sweeps

    /// Whether the queue behind it is one of our own, which comes back: not a client's, which may be gone for good.
    var isOurs: Bool {
        switch self {
        case .replies(let queue): queue == nil
        case .commands, .retry, .deadLetters, .event, .sweeps: true
        }
    }

    package var isEvent: Bool {
        if case .event = self { return true }
        return false
    }

    /// Whether somebody must be there to take it (docs/contract.md#topology): the commands exchange has an alternate, and nobody need
    /// listen to events.
    package var isMandatory: Bool {
        switch self {
        case .replies, .retry, .deadLetters, .sweeps: true
        case .commands, .event: false
        }
    }
}

package enum PublishOutcome: Hashable, Sendable {
    case confirmed
    /// No queue took it.
    case unroutable
    /// The queue is full, or the broker could not store it.
    case refused
}

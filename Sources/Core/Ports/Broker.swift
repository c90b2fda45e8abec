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

/// Why the broker has not taken a message.
package struct SinkError: Error, Hashable, Sendable {
    package enum Kind: String, Sendable {
        /// The broker could not be asked, or did not answer: the message may have been stored. Publishing it again is safe.
        case unavailable
        /// Its exchange is missing, or may not be written to. What goes elsewhere goes on.
        case unusableDestination
        /// The broker is there, and its queue confirms nothing: the message may have been stored. What goes elsewhere goes on.
        case silentDestination
        /// It can never be published: it cannot be encoded, or the broker refuses it as it is.
        case unpublishable
    }

    package let kind: Kind
    /// Codes and names, never content.
    package let detail: String

    package init(_ kind: Kind = .unavailable, detail: String) {
        self.kind = kind
        self.detail = detail
    }
}

extension SinkError: CustomStringConvertible {
    package var description: String {
        switch kind {
        case .unavailable: "broker unavailable (\(detail))"
        case .unusableDestination: "destination unusable (\(detail))"
        case .silentDestination: "destination silent (\(detail))"
        case .unpublishable: "message can never be published (\(detail))"
        }
    }
}

/// A subscription to a command queue: what a reader needs of it to leave the queue to others in order
/// (docs/correctness.md#overtaking).
package protocol CommandSource: Sendable {
    associatedtype Deliveries: AsyncSequence where Deliveries.Element == any Delivery

    var deliveries: Deliveries { get }

    /// Whether the subscription must be ended and made anew: it has ended already, or something is delivered and unread that must go back to
    /// the broker, because it has expired there, or the broker limits how long it may be unacknowledged. Asked while nothing is read.
    var isStale: Bool { get }

    /// Ends the deliveries at once. What is not read yet, and what still comes, stays with the broker as unacknowledged.
    func stop()

    /// Ends the subscription. The broker puts back what is unacknowledged, in its order, before another consumer gets anything. Until
    /// then it gives nothing to others.
    func close() async
}

/// A message that the broker has handed over and keeps until it is acknowledged: the outbox of its command.
package protocol Delivery: Sendable {
    var message: Message { get }

    /// Only after the outcome is stored and its reply confirmed (docs/correctness.md#order-of-steps). On a connection
    /// that is gone it does nothing: the broker delivers again.
    func acknowledge() async

    /// Has the broker itself dead-letter it, as it is: for what the processor cannot publish. On a connection that is gone it does
    /// nothing: the broker delivers again.
    func reject() async
}

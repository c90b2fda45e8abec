import Core
import Synchronization

/// Acknowledged already: what becomes of it no longer matters to the broker.
struct AcknowledgedDelivery: Delivery {
    let message: Message

    func acknowledge() async {}

    func reject() async {}
}

/// Does not wait to hear whether a message has arrived.
struct HopefulSink: MessageSink {
    let sink: any MessageSink

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        do throws(SinkError) {
            return try await sink.publish(message, to: destination)
        } catch {
            return .confirmed
        }
    }
}

/// What `x-death` the messages had when they were delivered.
final class CopiedHeaders: Sendable {
    private let deaths = Mutex<[String: HeaderValue]>([:])

    func keep(_ message: Message) {
        guard let id = message.messageID, let death = message.headers["x-death"] else { return }
        deaths.withLock { $0[id] = death }
    }

    func of(_ message: Message) -> HeaderValue? {
        message.messageID.flatMap { id in deaths.withLock { $0[id] } }
    }
}

/// Defers a message with all its headers.
struct CopyingSink: MessageSink {
    let sink: any MessageSink
    let deaths: CopiedHeaders

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        var copy = message
        if case .retry = destination { copy.headers["x-death"] = deaths.of(message) }
        return try await sink.publish(copy, to: destination)
    }
}

/// Tells nothing to whoever listens.
struct DiscreetSink: MessageSink {
    let sink: any MessageSink

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        if case .event = destination { return .confirmed }
        return try await sink.publish(message, to: destination)
    }
}

/// Answers everybody in the same place.
struct OneQueueSink: MessageSink {
    let sink: any MessageSink

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        if case .replies = destination { return try await sink.publish(message, to: .replies(nil)) }
        return try await sink.publish(message, to: destination)
    }
}

/// Takes a queue that confirms nothing for one that is gone.
struct HastySink: MessageSink {
    let sink: any MessageSink

    func publish(_ message: Message, to destination: Destination) async throws(SinkError) -> PublishOutcome {
        do throws(SinkError) {
            return try await sink.publish(message, to: destination)
        } catch {
            guard error.kind == .silentDestination else { throw error }
            return .unroutable
        }
    }
}

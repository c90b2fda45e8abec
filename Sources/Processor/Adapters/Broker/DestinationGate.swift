import Core
import Synchronization

/// Keeps messages from an exchange that has just closed its channel or does not answer: each of them would find the same. Every few
/// seconds one is let through, to see whether it works again.
final class DestinationGate: Sendable {
    private struct Closed {
        var until: ContinuousClock.Instant
        let detail: String
    }

    private let closed = Mutex<[String: Closed]>([:])

    /// Between two tries.
    private static let pause = Duration.seconds(5)

    /// - Throws: `unusableDestination` while it is closed.
    func pass(_ exchange: String) throws(SinkError) {
        let detail: String? = closed.withLock { closed in
            guard let entry = closed[exchange] else { return nil }
            let now = ContinuousClock.now
            guard entry.until <= now else { return entry.detail }
            closed[exchange]?.until = now + Self.pause
            return nil
        }
        if let detail { throw SinkError(.unusableDestination, detail: detail) }
    }

    func close(_ exchange: String, detail: String) {
        closed.withLock { $0[exchange] = Closed(until: .now + Self.pause, detail: detail) }
    }

    func open(_ exchange: String) {
        closed.withLock { if !$0.isEmpty { $0[exchange] = nil } }
    }
}

import Core
import Synchronization

/// Bounds what waits for a queue that confirms nothing: its quorum is without a majority, or its node stands still.
///
/// Some may wait for their confirm as long as it takes. More than these may as long as the queue confirms anything; when it does not,
/// they are let go soon, and nobody else is let in, until one message that is let through every few seconds is answered.
final class ConfirmGate: Sendable {
    struct Route: Hashable, Sendable {
        let exchange: String
        let key: String
    }

    private struct Entry {
        var waiting = 0
        /// When the queue last answered, or somebody began to wait for it.
        var lastSign: ContinuousClock.Instant
        /// When the next message may try; `nil` where it is not known to be silent.
        var nextTry: ContinuousClock.Instant?
    }

    private let entries = Mutex<[Route: Entry]>([:])
    private let limit: Int
    private let now: @Sendable () -> ContinuousClock.Instant

    /// How long a queue may be silent to more than the limit.
    static let grace = Duration.seconds(3)
    /// Between two tries.
    static let pause = Duration.seconds(5)
    /// What nobody has tried for so long is forgotten.
    private static let memory = Duration.seconds(120)

    /// - Parameters:
    ///   - limit: how many may wait for one silent queue.
    ///   - now: the clock.
    init(limit: Int, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now }) {
        self.limit = max(limit, 1)
        self.now = now
    }

    /// To be followed by `leave`.
    ///
    /// - Returns: whether only a short wait is granted, because the limit is reached.
    /// - Throws: `silentDestination`, where nobody need try.
    func enter(_ route: Route) throws(SinkError) -> Bool {
        let now = now()
        let isExcess: Bool? = entries.withLock { entries in
            var entry = entries[route] ?? Entry(lastSign: now)
            if entry.waiting == 0 { entry.lastSign = now }
            if let nextTry = entry.nextTry {
                guard nextTry <= now, entry.waiting < limit else { return nil }
                entry.nextTry = now + Self.pause
            } else if entry.waiting >= limit, now - entry.lastSign > Self.grace {
                return nil
            }
            entry.waiting += 1
            entries[route] = entry
            return entry.waiting > limit
        }
        guard let isExcess else { throw SinkError(.silentDestination, detail: "\(Self.trouble(route))") }
        return isExcess
    }

    enum Ending {
        /// The broker has answered, whatever it said.
        case answered
        case unanswered
        /// It says nothing of the queue: the broker was away, or never got the message.
        case unknown
    }

    /// - Returns: whether the queue is silent, as far as one message tells.
    func leave(_ route: Route, _ ending: Ending) -> Bool {
        let now = now()
        return entries.withLock { entries in
            guard var entry = entries[route] else { return false }
            entry.waiting -= 1
            var isSilent = false
            switch ending {
            case .answered: (entry.lastSign, entry.nextTry) = (now, nil)
            case .unanswered where now - entry.lastSign >= Self.grace:
                isSilent = true
                if entry.nextTry == nil { Self.forgetOld(&entries, now) }
                entry.nextTry = now + Self.pause
            case .unanswered, .unknown: break
            }
            entries[route] = entry.waiting == 0 && entry.nextTry == nil ? nil : entry
            return isSilent
        }
    }

    /// Queues that were silent and are published to no more, such as those of clients that are gone.
    private static func forgetOld(_ entries: inout [Route: Entry], _ now: ContinuousClock.Instant) {
        entries = entries.filter { $0.value.waiting > 0 || $0.value.nextTry.map { now - $0 < memory } ?? true }
    }

    static func trouble(_ route: Route) -> BrokerTrouble {
        BrokerTrouble(object: .route(exchange: route.exchange, key: route.key), problem: .silent)
    }
}

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

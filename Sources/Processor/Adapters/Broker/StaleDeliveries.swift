import Synchronization

/// Decides when deliveries that wait unread, because the bank is unavailable, go back to the broker: when one of them has expired, which
/// only the broker can act on, and before the broker's own limit on acknowledgements (`consumer_timeout`, 30 minutes by default).
///
/// The broker counts each return towards the delivery limit of everything that goes back with it. So it happens ever more rarely.
final class StaleDeliveries: Sendable {
    private struct State {
        var wentBack: ContinuousClock.Instant?
        var pause = StaleDeliveries.pause
    }

    private let state = Mutex(State())

    private static let pause = Duration.seconds(2)
    private static let longest = Duration.seconds(600)

    /// - Parameter waiting: since when the oldest waits, and when the first of them has expired.
    func mustGoBack(
        _ waiting: (since: ContinuousClock.Instant, expiry: ContinuousClock.Instant?)?,
        at now: ContinuousClock.Instant = .now
    ) -> Bool {
        guard let waiting else { return false }
        return state.withLock { state in
            if now - waiting.since < Self.longest {
                guard let expiry = waiting.expiry, expiry <= now else { return false }
                if let last = state.wentBack, now - last < state.pause { return false }
            }
            let isFirst = state.wentBack.map { now - $0 > Self.longest * 2 } ?? true
            state.pause = isFirst ? Self.pause : min(state.pause * 2, Self.longest)
            state.wentBack = now
            return true
        }
    }
}

import Synchronization

/// When this process last deferred a command that the store could not give a place among those that wait.
final class Deferrals: Sendable {
    private let last = Mutex<Duration?>(nil)

    /// As long as such a command may be on its retry tier, and a little more.
    private static let memory = RetryTier.seconds30.delay * 2

    /// - Parameter now: uptime.
    func note(at now: Duration) {
        last.withLock { $0 = now }
    }

    /// Whether one may still be on its way, so that a command that seems to be the first of its payment may not be.
    func areRecent(at now: Duration) -> Bool {
        last.withLock { last in last.map { now - $0 < Self.memory } ?? false }
    }
}

import Synchronization

/// Whether the outbox takes more events: a listener that never reads must not fill the database. Judged by the last count.
final class OutboxRoom: Sendable {
    /// Many more than wait while a listener restarts, few enough that going through them costs nothing.
    static let limit = 10_000

    private let waiting = Mutex(0)

    var isLeft: Bool { waiting.withLock { $0 < Self.limit } }

    func note(eventsWaiting count: Int) {
        waiting.withLock { $0 = count }
    }
}

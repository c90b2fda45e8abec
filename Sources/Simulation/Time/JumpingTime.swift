package import Core
import Synchronization

/// A machine's wall clock that someone sets while it runs (trap P14). Its uptime is not touched by that.
package final class JumpingTime: TimeSource {
    private let base: VirtualTime
    private let offset: Mutex<Duration>

    package init(_ base: VirtualTime, ahead offset: Duration) {
        self.base = base
        self.offset = Mutex(offset)
    }

    package func jump(by step: Duration) {
        offset.withLock { $0 += step }
    }

    package func now() -> Timestamp { base.now().advanced(by: offset.withLock { $0 }) }

    package func uptime() -> Duration { base.uptime() }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await base.sleep(for: duration)
    }
}

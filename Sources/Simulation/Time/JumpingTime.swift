package import Core
import Synchronization

/// A machine's wall clock that someone sets while it runs (docs/correctness.md#whose-clock). Its uptime is not touched
/// by that.
package final class JumpingTime: TimeSource {
    private struct State {
        var offset: Duration
        var furthest = Timestamp(microseconds: .min)
    }

    private let base: VirtualTime
    private let state: Mutex<State>

    package init(_ base: VirtualTime, ahead offset: Duration) {
        self.base = base
        state = Mutex(State(offset: offset))
    }

    package func jump(by step: Duration) {
        let before = now()
        state.withLock { state in
            state.furthest = max(state.furthest, before)
            state.offset += step
        }
    }

    package func now() -> Timestamp { base.now().advanced(by: state.withLock { $0.offset }) }

    /// The latest time that it has ever shown.
    package var furthest: Timestamp { max(now(), state.withLock { $0.furthest }) }

    package func uptime() -> Duration { base.uptime() }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await base.sleep(for: duration)
    }
}

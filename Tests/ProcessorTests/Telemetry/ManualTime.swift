import Core
import Synchronization

/// A time that goes on only when a test says so.
final class ManualTime: TimeSource {
    private struct State {
        var uptime = Duration.zero
        var sleepers: [(until: Duration, wake: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    func now() -> Timestamp { Timestamp(microseconds: 0).advanced(by: uptime()) }

    func uptime() -> Duration { state.withLock { $0.uptime } }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await withCheckedContinuation { wake in
            state.withLock { $0.sleepers.append(($0.uptime + duration, wake)) }
        }
        if Task.isCancelled { throw CancellationError() }
    }

    var sleepers: Int { state.withLock { $0.sleepers.count } }

    func advance(by duration: Duration) {
        let awake = state.withLock { state in
            state.uptime += duration
            let awake = state.sleepers.filter { $0.until <= state.uptime }
            state.sleepers.removeAll { $0.until <= state.uptime }
            return awake
        }
        for sleeper in awake { sleeper.wake.resume() }
    }
}

/// Waits for a condition, for a limited time.
func eventually(_ condition: () -> Bool) async -> Bool {
    let limit = ContinuousClock.now.advanced(by: .seconds(20))
    while ContinuousClock.now < limit {
        if condition() { return true }
        try? await Task.sleep(for: .milliseconds(1))
    }
    return condition()
}

package import Core
import Synchronization

/// A clock that moves only when told to. Sleepers and scheduled actions wake in the order of their time, those of one
/// instant in the order in which they came.
package final class VirtualTime: TimeSource {
    private enum Wake {
        case sleeper(CheckedContinuation<Bool, Never>)
        case action(@Sendable () -> Void)
    }

    private struct Entry {
        let at: Duration
        let number: UInt64
        let wake: Wake
    }

    private struct State {
        var uptime: Duration = .zero
        var lastNumber: UInt64 = 0
        /// Sorted, the next one last.
        var entries: [Entry] = []

        mutating func insert(at: Duration, number: UInt64, _ wake: Wake) {
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if (entries[middle].at, entries[middle].number) < (at, number) {
                    high = middle
                } else {
                    low = middle + 1
                }
            }
            entries.insert(Entry(at: at, number: number, wake: wake), at: low)
        }
    }

    private let start: Timestamp
    private let state = Mutex(State())

    /// - Parameter start: the wall clock at uptime zero.
    package init(start: Timestamp = Timestamp(microseconds: 1_900_000_000_000_000)) {
        self.start = start
    }

    package func now() -> Timestamp { start.advanced(by: uptime()) }

    package func uptime() -> Duration { state.withLock { $0.uptime } }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        let number = nextNumber()
        let isOver = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isCancelled = state.withLock { state in
                    if Task.isCancelled { return true }
                    state.insert(at: state.uptime + max(duration, .zero), number: number, .sleeper(continuation))
                    return false
                }
                if isCancelled { continuation.resume(returning: false) }
            }
        } onCancel: {
            cancel(number)
        }
        guard isOver else { throw CancellationError() }
    }

    /// Runs an action after that much time has passed: on whoever moves the clock, so it must be short.
    package func schedule(after duration: Duration, _ action: @escaping @Sendable () -> Void) {
        let number = nextNumber()
        state.withLock { $0.insert(at: $0.uptime + max(duration, .zero), number: number, .action(action)) }
    }

    /// Moves the clock on, waking on the way whoever is due.
    package func advance(by duration: Duration) {
        let target = state.withLock { $0.uptime + duration }
        while wakeNext(until: target) {}
        state.withLock { $0.uptime = max($0.uptime, target) }
    }

    /// Moves the clock to the next one due and wakes it; false where nobody sleeps.
    package func wakeNext() -> Bool { wakeNext(until: nil) }

    /// Forgets the scheduled actions, and with them whatever they hold on to: nothing happens any more.
    package func stop() {
        state.withLock { state in
            state.entries.removeAll { entry in
                if case .action = entry.wake { true } else { false }
            }
        }
    }

    private func wakeNext(until limit: Duration?) -> Bool {
        let wake: Wake? = state.withLock { state in
            guard let next = state.entries.last, limit.map({ next.at <= $0 }) ?? true else { return nil }
            state.entries.removeLast()
            state.uptime = max(state.uptime, next.at)
            return next.wake
        }
        switch wake {
        case .sleeper(let continuation): continuation.resume(returning: true)
        case .action(let action): action()
        case nil: return false
        }
        return true
    }

    private func nextNumber() -> UInt64 {
        state.withLock { state in
            state.lastNumber += 1
            return state.lastNumber
        }
    }

    private func cancel(_ number: UInt64) {
        let wake: Wake? = state.withLock { state in
            guard let position = state.entries.firstIndex(where: { $0.number == number }) else { return nil }
            return state.entries.remove(at: position).wake
        }
        if case .sleeper(let continuation)? = wake { continuation.resume(returning: false) }
    }
}

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

/// A clock that is wrong by a fixed amount: another machine's (docs/correctness.md#whose-clock).
package struct SkewedTime: TimeSource {
    private let base: any TimeSource
    private let skew: Duration

    /// - Parameters:
    ///   - base: the right time.
    ///   - skew: how far this clock is ahead of it; negative: behind.
    package init(_ base: any TimeSource, ahead skew: Duration) {
        self.base = base
        self.skew = skew
    }

    package func now() -> Timestamp { base.now().advanced(by: skew) }

    package func uptime() -> Duration { base.uptime() }

    package func sleep(for duration: Duration) async throws(CancellationError) {
        try await base.sleep(for: duration)
    }
}

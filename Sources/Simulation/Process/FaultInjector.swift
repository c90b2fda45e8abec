import Core
import Synchronization

/// The edge of a process: where it may be paused, or die, before and after each step outside.
struct FaultInjector: Sendable {
    let life: ProcessLife
    let random: SeededRandom
    let schedule: FaultSchedule
    /// Ends or stops this process, now.
    let strike: @Sendable (Strike) -> Void

    enum Strike: Sendable {
        case crash
        case pause(Duration)
    }

    /// As `pass`, for who has just heard from the bank.
    func passFromBank() async {
        if life.isRunning, let plan = schedule.plan, random.happens(plan.zombie) {
            strike(.pause(random.duration(in: .seconds(30)...(.seconds(100)))))
        }
        await pass()
    }

    /// Returns when the process may go on, which may be never.
    func pass() async {
        if life.isRunning, let plan = schedule.plan {
            if random.happens(plan.crash) {
                strike(.crash)
            } else if random.happens(plan.pause) {
                strike(.pause(random.duration(in: .milliseconds(50)...plan.longestPause)))
            }
        }
        await life.breathe()
    }
}

/// Whether a process runs. One that is paused stops at its next step outside; one that is dead never gets past it, so that
/// nothing it does from then on reaches anybody.
package final class ProcessLife: Sendable {
    private enum Phase {
        case running, paused, dead
        /// The world has ended: what hangs is let go, to be torn down.
        case over
    }

    private struct State {
        var phase = Phase.running
        var hasLeft = false
        var waiting: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    package init() {}

    package var isDead: Bool { state.withLock { $0.phase == .dead } }
    package var isRunning: Bool { state.withLock { $0.phase == .running } }
    package var isOver: Bool { state.withLock { $0.phase == .over } }

    /// Every step outside, and every return from one, comes by here.
    func breathe() async {
        while !state.withLock({ $0.phase == .running || $0.phase == .over }) {
            await withCheckedContinuation { continuation in
                let mayPass = state.withLock { state in
                    if state.phase == .running || state.phase == .over { return true }
                    state.waiting.append(continuation)
                    return false
                }
                if mayPass { continuation.resume() }
            }
        }
    }

    package func pause() { change { $0 == .running ? .paused : nil } }

    package func resume() { change { $0 == .paused ? .running : nil } }

    package func kill() { change { $0 == .over ? nil : .dead } }

    /// It has drained, or its grace was over: what comes now nobody hears.
    func leave() { state.withLock { $0.hasLeft = true } }

    var isListening: Bool { state.withLock { $0.phase == .running && !$0.hasLeft } }

    package func end() { change { _ in .over } }

    private func change(_ next: (Phase) -> Phase?) {
        let released: [CheckedContinuation<Void, Never>] = state.withLock { state in
            guard let phase = next(state.phase) else { return [] }
            state.phase = phase
            guard phase == .running || phase == .over else { return [] }
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in released { continuation.resume() }
    }
}

/// The clock of a process that may die while it sleeps.
struct FaultInjectingTime: TimeSource {
    let injector: FaultInjector
    let clock: JumpingTime

    func now() -> Timestamp { clock.now() }

    func uptime() -> Duration { clock.uptime() }

    func sleep(for duration: Duration) async throws(CancellationError) {
        await injector.pass()
        if injector.life.isOver { throw CancellationError() }
        do throws(CancellationError) {
            try await clock.sleep(for: duration)
        } catch {
            await injector.pass()
            throw error
        }
        await injector.pass()
        if injector.life.isOver { throw CancellationError() }
    }
}

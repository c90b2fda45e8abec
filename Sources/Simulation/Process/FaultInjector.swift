import Core

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

import Core

/// The edge of a process: where it may be paused, or die, before and after each step outside.
struct Mortality: Sendable {
    let life: ProcessLife
    let dice: Dice
    let weather: Weather
    /// Ends or stops this process, now.
    let strike: @Sendable (Strike) -> Void

    enum Strike: Sendable {
        case crash
        case pause(Duration)
    }

    /// As `pass`, for who has just heard from the bank.
    func passFromBank() async {
        if life.isRunning, let plan = weather.plan, dice.happens(plan.zombie) {
            strike(.pause(dice.duration(in: .seconds(30)...(.seconds(100)))))
        }
        await pass()
    }

    /// Returns when the process may go on, which may be never.
    func pass() async {
        if life.isRunning, let plan = weather.plan {
            if dice.happens(plan.crash) {
                strike(.crash)
            } else if dice.happens(plan.pause) {
                strike(.pause(dice.duration(in: .milliseconds(50)...plan.longestPause)))
            }
        }
        await life.breathe()
    }
}

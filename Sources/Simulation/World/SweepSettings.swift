package import Core

/// How the sweeps of a seed are set up, and when they get the time to finish what nothing else will.
package struct SweepSettings: Sendable {
    package let periods: [SweepJob: Duration]
    package let policy: SweepPolicy
    /// `sweeps.expire.grace`.
    package let grace: Duration
    /// `sweeps.expire.void`.
    package let voidsExpired: Bool
    /// Whether days go by before everything is asked once more.
    package let comeFirst: Bool

    init(using dice: Dice) {
        periods = [
            .reconcile: .seconds(dice.one(of: [20, 60, 120])), .expire: .seconds(dice.one(of: [30, 60, 120])),
            .retention: .seconds(dice.one(of: [300, 3_600])),
        ]
        policy = SweepPolicy(batch: dice.one(of: [1, 3, 100]))
        grace = .seconds(dice.one(of: [0, 2, 10]))
        voidsExpired = dice.happens(0.5)
        comeFirst = dice.happens(0.5)
    }
}

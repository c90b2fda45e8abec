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

    init(using random: SeededRandom) {
        periods = [
            .reconcile: .seconds(random.one(of: [20, 60, 120])), .expire: .seconds(random.one(of: [30, 60, 120])),
            .retention: .seconds(random.one(of: [300, 3_600])),
        ]
        policy = SweepPolicy(batch: random.one(of: [1, 3, 100]))
        grace = .seconds(random.one(of: [0, 2, 10]))
        voidsExpired = random.happens(0.5)
        comeFirst = random.happens(0.5)
    }
}

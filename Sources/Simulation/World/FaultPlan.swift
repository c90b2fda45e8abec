package import Core

/// What may go wrong in a seed, and how often. Probabilities are per step of its kind, intervals are means.
package struct FaultPlan: Sendable {
    // Processes, at each step outside.
    package var crash = 0.0
    package var pause = 0.0
    /// Stands still just when it has heard from the bank, until another has taken over: at each answer.
    package var zombie = 0.0
    package var longestPause = Duration.seconds(90)
    // The store, per transaction.
    package var storeUnavailable = 0.0
    package var commitLost = 0.0
    package var commitAnswerLost = 0.0
    package var lockWait = 0.0
    // The broker, per publish of a processor.
    package var publishLost = 0.0
    package var confirmLost = 0.0
    package var lateConfirm = 0.0
    package var publishRefused = 0.0
    /// The same for the upstream services.
    package var publisherTrouble = 0.0
    // The bank, per request.
    package var bankFault = 0.0
    package var bankFaults: [BankFault] = [.dropBefore]
    package var slowBank = 0.0
    /// Besides any other fault.
    package var keyLoss = 0.0
    /// How long an authorization may be captured.
    package var authorizationExpiry = Duration.seconds(168 * 3_600)
    // Now and then.
    package var connectionLoss: Duration?
    package var brokerOutage: Duration?
    package var databaseOutage: Duration?
    package var bankOutage: Duration?
    package var deploy: Duration?
    package var vanishingReplyQueue: Duration?
    package var fullReplyQueue: Duration?
    package var silentReplyQueue: Duration?
    package var fullListener: Duration?
    /// An exchange is deleted, and declared again a little later.
    package var drift: Duration?
    package var clockJump: Duration?
    package var operatorReplay: Duration?
    package var deliveryLimit: Int64?
    /// A standby that lags is promoted: the store loses its last commits, and goes by another clock.
    package var failover: Duration?

    /// How often a process is told to stop, or the bank goes down, in the moment in which a command arrives.
    package var badMoment = 0.0

    package enum Kind: String, Sendable, CaseIterable {
        case crash, pause, zombie, store, lockWait, publish, refusal, publisher, bankFault, slowBank, keyLoss, expiry
        case connectionLoss, brokerOutage, databaseOutage, bankOutage, deploy, vanishingReplyQueue, fullReplyQueue
        case clockJump, operatorReplay, deliveryLimit, failover, fullListener, drift, badMoment
        case silentReplyQueue
    }

    /// In the order of their declaration.
    package private(set) var kinds: [Kind] = []

    package init() {}

    /// One seed in twenty is calm, one in four knows one kind of fault only.
    ///
    /// - Parameter others: that there are in any case.
    init(using random: SeededRandom, and others: [Kind] = []) {
        let kinds: [Kind]
        switch random.number(in: 0...19) {
        case 0: kinds = []
        case 1...5: kinds = [random.one(of: Kind.allCases)]
        case 6...8: kinds = Kind.allCases.filter { _ in random.happens(0.7) }
        default: kinds = Kind.allCases.filter { _ in random.happens(0.3) }
        }
        for kind in kinds { add(kind, random) }
        for kind in others where !kinds.contains(kind) { add(kind, random) }
    }

    private mutating func add(_ kind: Kind, _ random: SeededRandom) {
        kinds.append(kind)
        func rate(_ rates: [Double]) -> Double { random.one(of: rates) }
        func interval(_ seconds: ClosedRange<Int>) -> Duration { .seconds(random.number(in: seconds)) }
        switch kind {
        case .crash: crash = rate([0.002, 0.005, 0.01, 0.02])
        case .pause:
            pause = rate([0.001, 0.003, 0.01])
            longestPause = random.one(of: [.seconds(2), .seconds(45), .seconds(90)])
        case .zombie: zombie = rate([0.05, 0.2])
        case .store:
            storeUnavailable = rate([0, 0.01, 0.05])
            commitLost = rate([0, 0.01, 0.05])
            commitAnswerLost = rate([0.01, 0.05, 0.1])
        case .lockWait: lockWait = rate([0.01, 0.05])
        case .publish:
            publishLost = rate([0, 0.02, 0.1])
            confirmLost = rate([0.02, 0.05, 0.2])
            lateConfirm = rate([0, 0.05])
        case .refusal: publishRefused = rate([0.02, 0.2])
        case .publisher: publisherTrouble = rate([0.1, 0.3])
        case .bankFault:
            bankFault = rate([0.05, 0.2, 0.4])
            bankFaults = random.happens(0.3) ? [random.one(of: BankFault.allCases)] : BankFault.allCases
        case .slowBank: slowBank = rate([0.02, 0.1, 0.3])
        case .keyLoss: keyLoss = rate([0.02, 0.2, 0.5])
        case .expiry: authorizationExpiry = interval(5...60)
        case .connectionLoss: connectionLoss = interval(5...40)
        case .brokerOutage: brokerOutage = interval(30...90)
        case .databaseOutage: databaseOutage = interval(30...90)
        case .bankOutage: bankOutage = interval(30...90)
        case .deploy: deploy = interval(10...60)
        case .vanishingReplyQueue: vanishingReplyQueue = interval(10...40)
        case .fullReplyQueue: fullReplyQueue = interval(10...40)
        case .clockJump: clockJump = interval(10...40)
        case .operatorReplay: operatorReplay = interval(5...30)
        case .deliveryLimit: deliveryLimit = Int64(random.number(in: 1...5))
        case .failover: failover = interval(10...60)
        case .silentReplyQueue: silentReplyQueue = interval(10...40)
        case .fullListener: fullListener = interval(10...40)
        case .drift: drift = interval(10...40)
        case .badMoment:
            badMoment = rate([0.1, 0.3, 0.5])
            // So that there is something under way.
            slowBank = max(slowBank, rate([0.1, 0.3]))
        }
    }

    /// Whether the order in which messages are delivered is the order in which they can be checked: not where the
    /// broker gives them up and they go back one by one, nor where a process that stood still wakes with deliveries
    /// that another has been given since.
    var keepsArrivals: Bool { deliveryLimit == nil && pause == 0 && zombie == 0 }

    /// Whether two requests under one bank key may be under way at once although every process keeps the rules: one that
    /// stood still between its last look at the clock and its request, a lease judged by a clock that was set, or a claim that
    /// the store has forgotten.
    var mayOverlapAtBank: Bool { pause > 0 || zombie > 0 || clockJump != nil || failover != nil }
}

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

/// How a world differs from what its seed alone makes of it. The defaults change nothing.
package struct SimulationOptions: Sendable {
    /// Keeps the lines of the trace, for a reader.
    package var isTracing = false
    /// Called once for each world. What it gives puts something before the ports of each process: how the mutants of the tests
    /// work.
    package var wrap: @Sendable (SimulationWorld) -> Wrapping = { _ in { $0 } }

    package typealias Wrapping = @Sendable (ProcessPorts) -> ProcessPorts
    package var storeChecksFencingToken = true
    /// Besides those that the seed has.
    package var faults: [FaultPlan.Kind] = []

    package init() {}
}

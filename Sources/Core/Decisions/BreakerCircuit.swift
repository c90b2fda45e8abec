/// The state machine of the circuit breaker before the bank: closed while it answers, open while it is out, half-open while one
/// command finds out whether it is back (docs/correctness.md#bank-outage). Pure: times and random words come from
/// outside.
struct BreakerCircuit: Hashable, Sendable {
    /// The right to call the bank, until the circuit changes.
    struct Permit: Hashable, Sendable {
        fileprivate let generation: UInt64
        let isProbe: Bool
    }

    enum Admission: Hashable, Sendable {
        case granted(Permit)
        /// Nothing changes before that uptime; `nil`: before the probe has ended.
        case refused(until: Duration?)
    }

    private enum State: Hashable {
        case closed
        case open(until: Duration)
        case halfOpen(isProbing: Bool)
    }

    private struct Call: Hashable {
        let at: Duration
        let failed: Bool
    }

    private let policy: BreakerPolicy
    private var state = State.closed
    /// Goes up with every change: what was allowed before says nothing about now.
    private var generation: UInt64 = 0
    private var calls: [Call] = []
    private var failedProbes = 0

    init(policy: BreakerPolicy) {
        self.policy = policy
    }

    var condition: BreakerCondition {
        switch state {
        case .closed: .closed
        case .open: .open
        case .halfOpen: .halfOpen
        }
    }

    /// When it becomes half-open; `nil` while it is not open.
    var opensUntil: Duration? {
        guard case .open(let until) = state else { return nil }
        return until
    }

    /// An open circuit whose pause is over becomes half-open.
    mutating func pass(to now: Duration) {
        guard case .open(let until) = state, until <= now else { return }
        change(to: .halfOpen(isProbing: false))
    }

    mutating func admit(at now: Duration) -> Admission {
        pass(to: now)
        switch state {
        case .closed:
            return .granted(Permit(generation: generation, isProbe: false))
        case .open(let until):
            return .refused(until: until)
        case .halfOpen(isProbing: true):
            return .refused(until: nil)
        case .halfOpen(isProbing: false):
            state = .halfOpen(isProbing: true)
            return .granted(Permit(generation: generation, isProbe: true))
        }
    }

    /// Whether a permit that was granted earlier still holds.
    func honours(_ permit: Permit) -> Bool {
        permit.generation == generation && condition != .open
    }

    /// Begins otherwise than closed: what others know of the bank, or what a first question has shown.
    mutating func begin(open: Bool, at now: Duration, random: UInt64) {
        guard open else { return change(to: .closed) }
        self.open(at: now, random: random)
    }

    /// The bank refuses us altogether: opens at once, whatever came before.
    mutating func trip(under permit: Permit, at now: Duration, random: UInt64) {
        guard honours(permit) else { return }
        if permit.isProbe { failedProbes += 1 }
        open(at: now, random: random)
    }

    /// What became of a call. One that was allowed before the last change says nothing about now.
    mutating func record(failed: Bool, under permit: Permit, at now: Duration, random: UInt64) {
        guard honours(permit) else { return }
        if permit.isProbe {
            failedProbes = failed ? failedProbes + 1 : 0
            if failed { open(at: now, random: random) } else { change(to: .closed) }
            return
        }
        if calls.count == policy.window { calls.removeFirst() }
        calls.append(Call(at: now, failed: failed))
        guard failed else { return }
        let recent = calls.filter { $0.at + policy.memory >= now }
        let failures = recent.count { $0.failed }
        if recent.count >= policy.leastCalls, Double(failures) >= Double(recent.count) * policy.failureShare {
            open(at: now, random: random)
        }
    }

    /// A probe that ended without asking the bank: another may try.
    mutating func giveBack(_ permit: Permit) {
        if permit.isProbe, honours(permit) { state = .halfOpen(isProbing: false) }
    }

    private mutating func open(at now: Duration, random: UInt64) {
        change(to: .open(until: now + policy.pause(afterFailures: failedProbes, random: random)))
    }

    private mutating func change(to next: State) {
        state = next
        generation += 1
        calls = []
    }
}

/// How the circuit breaker stands, as `/readyz`, logs and metrics tell it.
package enum BreakerCondition: String, Hashable, Sendable, CaseIterable {
    case closed, open
    case halfOpen = "half-open"
}

/// When the circuit breaker before the bank opens, and for how long (docs/correctness.md#bank-outage).
package struct BreakerPolicy: Hashable, Sendable {
    /// The last so many calls count, as far as they are no older than `memory`.
    package var window = 20
    /// Fewer than this prove nothing.
    package var leastCalls = 10
    /// Opens when at least this share of them failed, 0–1.
    package var failureShare = 0.5
    package var memory: Duration = .seconds(60)
    /// How long it stays open before one command may try; doubled with each try in vain, up to `pauseLimit`.
    package var pause: Duration = .seconds(2)
    package var pauseLimit: Duration = .seconds(30)
    /// How long a delivery waits for the bank before it is deferred: seconds, never minutes
    /// (docs/correctness.md#long-waits).
    package var patience: Duration = .seconds(10)

    package init() {}

    /// - Parameters:
    ///   - failures: tries in vain so far, 0 when it has just opened.
    ///   - random: a fresh random word: up to a quarter more, so that many processors do not try together.
    func pause(afterFailures failures: Int, random: UInt64) -> Duration {
        let pause = min(pause * Double(1 << min(failures, 16)), pauseLimit)
        return pause + .microseconds(Int64(random % UInt64(max((pause / 4).microseconds, 1))))
    }
}

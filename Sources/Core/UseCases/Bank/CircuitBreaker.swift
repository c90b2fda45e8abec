import Synchronization

/// Stands before the bank: while it is out nobody asks, but for one command at a time that finds out whether it is back, and the
/// queues keep the backlog (docs/correctness.md#bank-outage).
package final class CircuitBreaker: Sendable {
    /// The right to call the bank. Each must be ended.
    package struct Permit: Hashable, Sendable {
        fileprivate let permit: BreakerCircuit.Permit

        /// For one call only: it finds out whether the bank is back.
        package var isProbe: Bool { permit.isProbe }
    }

    private struct State {
        var circuit: BreakerCircuit
        var waiters: [UInt64: CheckedContinuation<Void, Never>] = [:]
        var lastWaiter: UInt64 = 0
        /// Counts what waiters must hear of: one that looked before a change does not wait for the next.
        var changes: UInt64 = 0
        /// Of the last failure: a code.
        var cause: String?
    }

    private let state: Mutex<State>
    private let policy: BreakerPolicy
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver

    package init(
        policy: BreakerPolicy = BreakerPolicy(),
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver
    ) {
        self.policy = policy
        self.time = time
        self.random = random
        self.observer = observer
        state = Mutex(State(circuit: BreakerCircuit(policy: policy)))
    }

    /// Why it opened last: a code.
    package var cause: String? { state.withLock { $0.cause } }

    package var condition: BreakerCondition { state.withLock { $0.circuit.condition } }

    // MARK: Who wants to ask the bank

    /// Waits for the right to call the bank.
    ///
    /// - Parameter since: the uptime from which patience counts; `nil`: do not wait.
    /// - Returns: `nil` where there is none to be had in time: the bank is known to be out.
    package func admit(since: Duration?) async throws(CancellationError) -> Permit? {
        let limit = since.map { $0 + policy.patience }
        while true {
            let now = time.uptime()
            let seen = changes
            switch change({ $0.admit(at: now) }) {
            case .granted(let permit): return Permit(permit: permit)
            case .refused(let until):
                guard let limit, now < limit else { return nil }
                try await waitForChange(after: seen, orUntil: min(limit, until ?? limit))
            }
        }
    }

    /// Whether a permit still holds: the bank may have gone out since.
    package func honours(_ permit: Permit) -> Bool { state.withLock { $0.circuit.honours(permit.permit) } }

    /// What a call showed.
    package func record(_ answer: BankAnswer, under permit: Permit) {
        let (failed, isRefused) = (answer.isOutage, answer.isAccessRefused)
        let word = failed || isRefused ? random.next() : 0
        let now = time.uptime()
        if failed || isRefused { state.withLock { $0.cause = answer.cause } }
        if isRefused {
            change { $0.trip(under: permit.permit, at: now, random: word) }
        } else {
            change { $0.record(failed: failed, under: permit.permit, at: now, random: word) }
        }
    }

    /// Before anything is asked: what is known of the bank already (docs/correctness.md#starting-in-an-outage).
    ///
    /// - Parameters:
    ///   - isUnavailable: it begins open, and lets one command try after the first pause.
    ///   - cause: a code, for the log.
    package func begin(isUnavailable: Bool, cause: String? = nil) {
        let word = isUnavailable ? random.next() : 0
        let now = time.uptime()
        state.withLock { $0.cause = cause }
        change { $0.begin(open: isUnavailable, at: now, random: word) }
    }

    /// The command that had the permit is done with.
    package func end(_ permit: Permit) {
        guard permit.permit.isProbe else { return }
        change { $0.giveBack(permit.permit) }
        wakeAll()
    }

    // MARK: Who takes deliveries

    /// Waits as long as nothing at all may be taken, and tells how it stands then.
    ///
    /// - Parameters:
    ///   - limit: the longest wait; `nil` for any.
    ///   - isOver: it need not be waited for any more; asked again at each `nudge`.
    /// - Returns: closed or half-open; open where the wait was cut short.
    package func untilNotOpen(
        within limit: Duration? = nil,
        unless isOver: () -> Bool = { false }
    ) async throws(CancellationError) -> BreakerCondition {
        let end = limit.map { time.uptime() + $0 }
        while true {
            let now = time.uptime()
            change { $0.pass(to: now) }
            let (condition, until, seen) = state.withLock {
                ($0.circuit.condition, $0.circuit.opensUntil, $0.changes)
            }
            guard let until, !isOver(), end.map({ now < $0 }) ?? true else { return condition }
            try await waitForChange(after: seen, orUntil: min(until, end ?? until))
        }
    }

    /// Waits until it stands otherwise.
    ///
    /// - Parameter isOver: it need not be waited for any more; asked again at each `nudge`.
    package func untilNot(
        _ condition: BreakerCondition,
        unless isOver: () -> Bool = { false }
    ) async throws(CancellationError) {
        while true {
            let (now, seen) = state.withLock { ($0.circuit.condition, $0.changes) }
            guard now == condition, !isOver() else { return }
            try await waitForChange(after: seen, orUntil: nil)
        }
    }

    /// Those who wait ask again whether they need to.
    func nudge() { wakeAll() }

    // MARK: Changes

    private var changes: UInt64 { state.withLock { $0.changes } }

    @discardableResult
    private func change<Value: Sendable>(_ body: (inout BreakerCircuit) -> Value) -> Value {
        let (value, condition, cause) = state.withLock { state in
            let before = state.circuit.condition
            let value = body(&state.circuit)
            let after = state.circuit.condition
            return (value, before == after ? nil : after, state.cause)
        }
        if let condition {
            observer.observe(.breakerChanged(condition, cause: condition == .open ? cause : nil))
            wakeAll()
        }
        return value
    }

    private func wakeAll() {
        let waiters = state.withLock { state in
            defer { state.waiters = [:] }
            state.changes += 1
            return state.waiters
        }
        for (_, waiter) in waiters.sorted(by: { $0.key < $1.key }) { waiter.resume() }
    }

    /// Returns at the next change, at that uptime, or sooner: who calls looks again.
    private func waitForChange(after seen: UInt64, orUntil limit: Duration?) async throws(CancellationError) {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.change(after: seen) }
            if let limit {
                group.addTask { [time] in _ = try? await time.sleep(for: max(limit - time.uptime(), .zero)) }
            }
            await group.next()
            group.cancelAll()
        }
        if Task.isCancelled { throw CancellationError() }
    }

    private func change(after seen: UInt64) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isOver = state.withLock { state in
                    if Task.isCancelled || state.changes != seen { return true }
                    state.waiters[number] = continuation
                    return false
                }
                if isOver { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
    }
}

/// Shares what the circuit breaker knows with the other processors, and learns it from them at the start.
package struct BankWatch: Sendable {
    private let context: ProcessorContext
    private let bank: any BankQueries

    /// How often the state of a breaker is reported, whether it has changed or not.
    package static let period = Duration.seconds(10)
    /// What was reported longer ago is nobody's word any more: three periods.
    package static let memory = Duration.seconds(30)

    package init(_ context: ProcessorContext, bank: any BankQueries) {
        self.context = context
        self.bank = bank
    }

    /// Before the first command: that others have found it unavailable lately decides, else one question to the bank. A processor
    /// that began with everything it has would send all of it to a bank that is unavailable
    /// (docs/correctness.md#starting-in-an-outage).
    package func begin() async {
        if let status = try? await context.bankStatus.bankStatus(), status.isUnavailable, status.age < Self.memory {
            context.breaker.begin(isUnavailable: true, cause: status.cause)
            return
        }
        let answer = await bank.ask(.health, timeout: context.limits.bankTimeout)
        context.breaker.begin(isUnavailable: !answer.isSuccess, cause: answer.isSuccess ? nil : answer.cause)
    }

    /// Until the task is cancelled.
    package func run() async {
        while !Task.isCancelled {
            let condition = context.breaker.condition
            try? await context.shareBankStatus()
            await change(from: condition)
        }
    }

    /// Returns when the breaker stands otherwise, or a period is over.
    private func change(from condition: BreakerCondition) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await context.breaker.untilNot(condition) }
            group.addTask { try? await context.time.sleep(for: Self.period) }
            await group.next()
            group.cancelAll()
        }
    }
}

extension BankAnswer {
    fileprivate var isSuccess: Bool {
        guard case .response(let response) = self else { return false }
        return (200..<300).contains(response.status)
    }
}

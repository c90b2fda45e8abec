/// Finishes what nobody is working on any more: asks the bank again under the same key, by the same code and under the same
/// fencing token as a live command, and writes what it learns to the store and, for whoever waits, to the outbox. Along
/// the way, what has ended and was not reported is reported (docs/correctness.md#outcomes-are-reported).
package struct ReconcileSweep: Sweep {
    private let context: ProcessorContext
    private let store: any SweepStore
    private let policy: SweepPolicy
    private let signal: WakeUpSignal
    private let attempt: BankAttempt

    package init(_ context: ProcessorContext, store: any SweepStore, policy: SweepPolicy, signal: WakeUpSignal) {
        self.context = context
        self.store = store
        self.policy = policy
        self.signal = signal
        attempt = BankAttempt(context, notifiesByOutbox: true)
    }

    /// The work of one run.
    private struct Run {
        var report = SweepReport()
        var running = 0
        /// On the store's clock: what becomes due later is another run's.
        var dueBy: Timestamp?
        /// Whether nothing more is to be checked.
        var isThrough = false
        var failure: StoreError?
    }

    package func run(until stop: StopFlag) async throws(StoreError) -> SweepReport {
        for operation in try await store.compareLateAuthorizations(limit: policy.batch) {
            context.observer.observe(.possibleOrphan(CommandIdentity(operation), .suspected))
        }
        let run = await withTaskGroup(of: SweepEnding.self) { group in
            var run = Run()
            while true {
                // Refilled when half of it is done with: one that takes long holds nobody up, and a check is worth its
                // while.
                while !run.isThrough, run.running <= policy.batch / 2 {
                    let started = context.time.uptime()
                    guard let (claims, permit) = await check(&run) else { break }
                    for claim in claims { group.addTask { await finish(claim, permit, started: started) } }
                    if claims.isEmpty { context.breaker.end(permit) }
                    if stop.isSet || Task.isCancelled { run.isThrough = true }
                }
                guard let ending = await group.next() else { return run }
                run.running -= 1
                run.report.count(ending)
            }
        }
        if let failure = run.failure { throw failure }
        return run.report
    }

    /// - Returns: what is to be asked, and the permit to ask it under; `nil` at the end of the run.
    private func check(_ run: inout Run) async -> (claims: [Claim], permit: CircuitBreaker.Permit)? {
        // While the bank is known to be out nothing is checked: no attempt is spent, and no row comes nearer to being
        // given up.
        guard let permit = try? await context.breaker.admit(since: nil) else {
            run.isThrough = true
            return nil
        }
        let limit = permit.isProbe ? 1 : policy.batch - run.running
        do throws(StoreError) {
            let findings = try await store.check(check(limit: limit, dueBy: run.dueBy))
            run.dueBy = run.dueBy ?? findings.now
            run.report.examined += findings.count - findings.forgotten
            run.report.waiting += findings.waiting
            run.report.resolved += findings.notified
            if findings.notified > 0 { signal.raise() }
            run.running += findings.claims.count
            run.isThrough = findings.count < limit
            return (findings.claims, permit)
        } catch {
            context.breaker.end(permit)
            run.failure = error
            run.isThrough = true
            return nil
        }
    }

    private func check(limit: Int, dueBy: Timestamp?) -> OpenCheck {
        OpenCheck(
            limit: limit,
            dueBy: dueBy,
            token: ClaimToken(context.random.identifier(at: context.time.now())),
            lease: context.limits.lease,
            policy: policy,
            random: context.random.next()
        )
    }

    private func finish(_ claim: Claim, _ permit: CircuitBreaker.Permit, started: Duration) async -> SweepEnding {
        defer { context.breaker.end(permit) }
        do throws(StoreError) {
            let outcome: BankAttempt.Outcome
            if claim.operation.state == .unknown {
                outcome = try await attempt.inquire(claim, permit, started: started)
            } else if claim.operation.kind == .authorize {
                // Its card is gone, and so is the time in which its delivery might have come back.
                outcome = try await attempt.giveUp(claim, reason: "authorize_abandoned", claim.operation.sends)
            } else {
                outcome = try await attempt.run(
                    claim,
                    BankAction(resending: claim),
                    permit,
                    traceparent: claim.operation.route.traceparent,
                    started: started
                )
            }
            let ending = SweepEnding(outcome)
            if ending != .waiting { signal.raise() }
            return ending
        } catch {
            // Reported already; its lease runs out, and it is due again.
            return .waiting
        }
    }
}

extension BankAction {
    /// What a claimed operation asks for, where that needs no card; `nil` where the payment lacks the bank id for it.
    fileprivate init?(resending claim: Claim) {
        switch claim.operation.kind {
        case .authorize: return nil
        case .capture: self.init(.capture(amount: nil), for: claim.payment)
        case .void: self.init(.void, for: claim.payment)
        case .refund: self.init(.refund(amount: nil), for: claim.payment)
        }
    }
}

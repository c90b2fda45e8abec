/// Marks authorizations as expired when the bank's own clock proves it, and perhaps voids them, so that the bank frees its hold
/// (docs/correctness.md#expiry-needs-proof). The bank's clock alone says what is due, too: ours may be wrong
/// (docs/correctness.md#whose-clock).
package struct ExpireSweep: Sweep {
    private let context: ProcessorContext
    private let store: any SweepStore
    private let bank: any BankQueries
    private let policy: SweepPolicy
    private let grace: Duration
    private let voidsExpired: Bool
    private let signal: WakeUpSignal
    private let attempt: BankAttempt

    /// `grace` is `sweeps.expire.grace`, `voidsExpired` is `sweeps.expire.void`.
    package init(
        _ context: ProcessorContext,
        store: any SweepStore,
        bank: any BankQueries,
        policy: SweepPolicy,
        grace: Duration,
        voidsExpired: Bool,
        signal: WakeUpSignal
    ) {
        self.context = context
        self.store = store
        self.bank = bank
        self.policy = policy
        self.grace = grace
        self.voidsExpired = voidsExpired
        self.signal = signal
        attempt = BankAttempt(context, notifiesByOutbox: true)
    }

    package func run(until stop: StopFlag) async throws(StoreError) -> SweepReport {
        var report = SweepReport()
        guard let expiredBy = await expiredBy() else { return report }
        while !stop.isSet, !Task.isCancelled {
            let check = AuthorizationCheck(
                limit: policy.batch,
                expiredBy: expiredBy,
                voidsExpired: voidsExpired,
                policy: policy,
                random: context.random.next()
            )
            let findings = try await store.check(check)
            report.examined += findings.count - findings.forgotten
            report.waiting += findings.waiting
            let endings = await withTaskGroup(of: SweepEnding.self) { group in
                for payment in findings.needingCheck { group.addTask { await expire(payment) } }
                for payment in findings.voidable { group.addTask { await void(payment) } }
                return await group.reduce(into: [SweepEnding]()) { $0.append($1) }
            }
            for ending in endings { report.count(ending) }
            if findings.count < policy.batch { break }
        }
        return report
    }

    /// What expired before this instant is due; `nil` where the bank does not tell its time.
    package func expiredBy() async -> Timestamp? {
        guard context.breaker.condition != .open,
            case .response(let response) = await bank.ask(.health, timeout: context.limits.bankTimeout)
        else { return nil }
        return response.date?.advanced(by: .zero - grace)
    }

    private func expire(_ payment: Payment) async -> SweepEnding {
        guard let id = payment.bank.authorizationID else { return .waiting }
        let answer = await bank.ask(.authorization(id), timeout: context.limits.bankTimeout)
        guard let proof = ExpiryProof(payment, answer, grace: grace) else { return .waiting }
        do throws(StoreError) {
            guard try await store.expire(proof) else { return .waiting }
            context.observer.observe(.expired(payment.id))
            signal.raise()
            guard voidsExpired else { return .resolved }
            return await void(payment) == .needsAttention ? .needsAttention : .resolved
        } catch {
            context.observer.observe(.storeFailed(error))
            return .waiting
        }
    }

    /// An operation of our own: claimed, sent and completed like any other, with nobody to reply to.
    private func void(_ payment: Payment) async -> SweepEnding {
        let now = context.time.now()
        let started = context.time.uptime()
        let id = OperationID(context.random.identifier(at: now))
        let command = Command(
            paymentID: payment.id,
            merchantID: payment.merchantID,
            // Nobody can have guessed it.
            idempotencyKey: IdempotencyKey(verified: "expired-void-\(id)"),
            messageID: "expired-void-\(id)",
            parameters: .void,
            route: .nobody
        )
        let token = ClaimToken(context.random.identifier(at: now))
        let request = ClaimRequest(command: command, operationID: id, token: token, lease: context.limits.lease)
        do throws(StoreError) {
            guard let permit = try? await context.breaker.admit(since: nil) else { return .waiting }
            defer { context.breaker.end(permit) }
            guard case .claimed(let claim) = try await context.store.claim(request) else { return .waiting }
            let action = BankAction(.void, for: claim.payment)
            let ending = SweepEnding(
                try await attempt.run(
                    claim,
                    action,
                    permit,
                    traceparent: nil,
                    messageID: command.messageID,
                    started: started
                )
            )
            if ending != .waiting { signal.raise() }
            return ending
        } catch {
            // Reported already; an open operation is reconciled.
            return .waiting
        }
    }
}

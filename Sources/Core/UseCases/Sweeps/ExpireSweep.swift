/// Marks authorizations as expired when the bank's own clock proves it, and perhaps voids them, so that the bank frees its hold
/// (trap B9). The bank's clock alone says what is due, too: ours may be wrong (trap P14).
package struct ExpireSweep: Sweep {
    private let store: any SweepStore & PaymentStore
    private let bank: any BankQueries
    private let attempt: BankAttempt
    private let breaker: CircuitBreaker
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let limits: HandlerLimits
    private let policy: SweepPolicy
    private let grace: Duration
    private let voidsExpired: Bool
    private let bell: OutboxBell

    /// - Parameters:
    ///   - grace: `sweeps.expire.grace`.
    ///   - voidsExpired: `sweeps.expire.void`.
    package init(
        store: any SweepStore & PaymentStore,
        bank: any Bank & BankQueries,
        breaker: CircuitBreaker,
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        limits: HandlerLimits,
        policy: SweepPolicy,
        retries: RetryPolicy = RetryPolicy(),
        grace: Duration,
        voidsExpired: Bool,
        bell: OutboxBell
    ) {
        self.store = store
        self.breaker = breaker
        self.bank = bank
        self.time = time
        self.random = random
        self.observer = observer
        self.limits = limits
        self.policy = policy
        self.grace = grace
        self.voidsExpired = voidsExpired
        self.bell = bell
        attempt = BankAttempt(
            store: store,
            bank: bank,
            breaker: breaker,
            time: time,
            random: random,
            observer: observer,
            limits: limits,
            policy: retries,
            tellsByOutbox: true
        )
    }

    package func run(until stop: StopFlag) async throws(StoreError) -> SweepReport {
        var report = SweepReport()
        guard let expiredBy = await expiredBy() else { return report }
        while !stop.isSet, !Task.isCancelled {
            let look = AuthorizationLook(
                limit: policy.batch,
                expiredBy: expiredBy,
                voidsExpired: voidsExpired,
                policy: policy,
                dice: random.next()
            )
            let findings = try await store.look(look)
            report.examined += findings.count - findings.forgotten
            report.waiting += findings.waiting
            let endings = await withTaskGroup(of: SweepEnding.self) { group in
                for payment in findings.doubtful { group.addTask { await expire(payment) } }
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
        guard breaker.condition != .open,
            case .response(let response) = await bank.ask(.health, timeout: limits.bankTimeout)
        else { return nil }
        return response.date?.advanced(by: .zero - grace)
    }

    private func expire(_ payment: Payment) async -> SweepEnding {
        guard let id = payment.bank.authorizationID else { return .waiting }
        let answer = await bank.ask(.authorization(id), timeout: limits.bankTimeout)
        guard let proof = ExpiryProof(payment, answer, grace: grace) else { return .waiting }
        do throws(StoreError) {
            guard try await store.expire(proof) else { return .waiting }
            observer.observe(.expired(payment.id))
            bell.ring()
            guard voidsExpired else { return .resolved }
            return await void(payment) == .needsAttention ? .needsAttention : .resolved
        } catch {
            observer.observe(.storeFailed(error))
            return .waiting
        }
    }

    /// An operation of our own: claimed, sent and settled like any other, with nobody to reply to.
    private func void(_ payment: Payment) async -> SweepEnding {
        let now = time.now()
        let started = time.uptime()
        let id = OperationID(random.identifier(at: now))
        let command = Command(
            paymentID: payment.id,
            merchantID: payment.merchantID,
            // Nobody can have guessed it.
            idempotencyKey: IdempotencyKey(verified: "expired-void-\(id)"),
            messageID: "expired-void-\(id)",
            parameters: .void,
            route: .nobody
        )
        let token = ClaimToken(random.identifier(at: now))
        let request = ClaimRequest(command: command, operationID: id, token: token, lease: limits.lease)
        do throws(StoreError) {
            guard let permit = try? await breaker.admit(since: nil) else { return .waiting }
            defer { breaker.end(permit) }
            guard case .claimed(let claim) = try await store.claim(request) else { return .waiting }
            let action = BankAction(.void, for: claim.payment)
            let ending = SweepEnding(
                try await attempt.run(claim, action, permit, traceparent: nil, started: started)
            )
            if ending != .waiting { bell.ring() }
            return ending
        } catch {
            // Told already; an open operation is reconciled.
            return .waiting
        }
    }
}

/// One attempt at a claimed operation: asks the bank, again at once where that is safe, and settles what it learnt.
///
/// Live commands and the reconciling sweep share it, so that both judge and write alike.
package struct BankAttempt: Sendable {
    private let context: ProcessorContext
    private let tellsByOutbox: Bool

    /// - Parameter tellsByOutbox: whether what an attempt ends with is written to the outbox too: there is no delivery that would
    ///   tell it.
    init(_ context: ProcessorContext, tellsByOutbox: Bool = false) {
        self.context = context
        self.tellsByOutbox = tellsByOutbox
    }

    /// How an attempt ended; all but `superseded` is stored.
    package enum Outcome: Hashable, Sendable {
        /// The operation with its final reply.
        case settled(Operation)
        /// Open still: to be claimed again when its key has rested that long.
        case resting(Operation, reason: String, rest: Duration)
        case needsAttention(Operation, reason: String)
        /// Another attempt has taken over: what the store says now decides.
        case superseded
    }

    /// - Parameters:
    ///   - claim: ours.
    ///   - action: what to ask; `nil` where the payment lacks the bank id for it.
    ///   - permit: of the circuit breaker.
    ///   - traceparent: of the command.
    ///   - started: the uptime before the claim: the lease counts from then on at the earliest.
    package func run(
        _ claim: Claim,
        _ action: BankAction?,
        _ permit: CircuitBreaker.Permit,
        traceparent: String?,
        started: Duration
    ) async throws(StoreError) -> Outcome {
        var ambiguousSends = claim.operation.ambiguousSends
        guard let action else { return try await giveUp(claim, reason: "payment_lacks_bank_id", ambiguousSends) }
        if let reason = reasonToStop(claim.operation) { return try await giveUp(claim, reason: reason, ambiguousSends) }
        for send in 1... {
            guard let timeout = context.limits.timeout(elapsed: context.time.uptime() - started) else {
                return try await rest(claim, reason: "lease_used_up", ambiguousSends, .zero)
            }
            let answer = await context.bank.send(
                BankRequest(
                    action: action,
                    idempotencyKey: claim.operation.bankKey,
                    traceparent: traceparent,
                    timeout: timeout
                )
            )
            context.breaker.record(answer, under: permit)
            let verdict = Verdict.of(action, answer, ambiguousSends: ambiguousSends).redacted(for: action)
            context.observer.observe(.bankAnswered(action.kind, verdict))
            switch verdict {
            case .succeeded, .declined, .expired:
                return try await settle(claim, verdict, answer.redacted(for: action))
            case .needsAttention(let reason):
                return try await giveUp(claim, reason: reason, ambiguousSends)
            case .notSent(let reason):
                return try await rest(claim, reason: reason, ambiguousSends, .zero)
            case .ambiguous(let reason, isComplete: false):
                return try await rest(claim, reason: reason, ambiguousSends + 1, context.limits.bankWorstCase)
            case .ambiguous(let reason, isComplete: true):
                ambiguousSends += 1
                // An authorize that may have been executed rests first, so that the count is stored before it is sent again: a crash
                // in between must not make two holds look like one (trap B3).
                guard action.kind != .authorize || answer.isRefusal, send < context.policy.bankSends,
                    await pauseBeforeSending(again: send), context.breaker.honours(permit)
                else {
                    return try await rest(claim, reason: reason, ambiguousSends, context.policy.bankPause)
                }
            }
        }
        return .superseded
    }

    /// Why the bank is not asked again, before it is: the attempts before this one may have crashed, or could not be written.
    private func reasonToStop(_ operation: Operation) -> String? {
        // The database's time of this claim.
        let now = operation.leaseUntil.advanced(by: .zero - context.limits.lease)
        if operation.isAmbiguous, let sent = operation.firstSentAt, sent.duration(to: now) >= context.policy.resendLimit
        {
            return "bank_key_too_old"
        }
        return nil
    }

    private func pauseBeforeSending(again send: Int) async -> Bool {
        do throws(CancellationError) {
            try await context.time.sleep(
                for: context.policy.bankBackoff(attempt: send - 1, dice: context.random.next())
            )
            return true
        } catch {
            return false
        }
    }

    // MARK: How it ended

    private func settle(_ claim: Claim, _ verdict: Verdict, _ answer: BankAnswer) async throws(StoreError) -> Outcome {
        guard case .response(let response) = answer else { return .superseded }
        let settlement: Settlement
        switch verdict {
        case .succeeded(let effect, let isPossibleOrphan):
            settlement = .succeeded(
                claim,
                effect,
                response,
                isPossibleOrphan: isPossibleOrphan,
                now: context.time.now()
            )
            if isPossibleOrphan { context.observer.observe(.possibleOrphan(claim.operation)) }
        case .declined(let refusal):
            settlement = .declined(claim, refusal, response)
        case .expired(let refusal):
            settlement = .declined(claim, refusal, response, authorizationExpired: true)
        case .notSent, .ambiguous, .needsAttention:
            return .superseded
        }
        return try await write(settlement, claim) ? .settled(settlement.operation) : .superseded
    }

    private func rest(
        _ claim: Claim,
        reason: String,
        _ ambiguousSends: Int,
        _ rest: Duration
    ) async throws(StoreError) -> Outcome {
        let settlement = Settlement.resting(claim, reason: reason, ambiguousSends: ambiguousSends, rest: rest)
        return try await write(settlement, claim)
            ? .resting(settlement.operation, reason: reason, rest: rest) : .superseded
    }

    /// Ends it without asking: a person must look.
    func giveUp(_ claim: Claim, reason: String, _ ambiguousSends: Int) async throws(StoreError) -> Outcome {
        let settlement = Settlement.needsAttention(claim, reason: reason, ambiguousSends: ambiguousSends)
        guard try await write(settlement, claim) else { return .superseded }
        context.observer.observe(.needsAttention(settlement.operation, reason: reason))
        return .needsAttention(settlement.operation, reason: reason)
    }

    private func write(_ settlement: Settlement, _ claim: Claim) async throws(StoreError) -> Bool {
        let settlement = tellsByOutbox ? settlement.toldByOutbox(claim) : settlement
        let outcome = try await context.patiently { () async throws(StoreError) in
            try await context.store.settle(settlement)
        }
        if outcome == .superseded { context.observer.observe(.superseded(settlement.operation)) }
        return outcome == .settled
    }
}

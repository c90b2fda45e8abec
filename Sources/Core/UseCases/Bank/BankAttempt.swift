/// One attempt at a claimed operation: asks the bank, again at once where that is safe, and writes what it learnt.
///
/// Live commands and the reconciling sweep share it, so that both judge and write alike.
package struct BankAttempt: Sendable {
    let context: ProcessorContext
    let notifiesByOutbox: Bool
    /// Of the attempt that is under way.
    private var log = AttemptLog()
    /// Of the delivery that it is made for; `nil` for that of a sweep.
    private(set) var messageID: String?

    /// - Parameter notifiesByOutbox: whether what an attempt ends with is written to the outbox too: there is no
    ///   delivery that would report it.
    init(_ context: ProcessorContext, notifiesByOutbox: Bool = false) {
        self.context = context
        self.notifiesByOutbox = notifiesByOutbox
    }

    /// How an attempt ended; all but `superseded` is stored.
    package indirect enum Outcome: Hashable, Sendable {
        /// The operation with its final reply.
        case completed(Operation)
        /// Open still: to be claimed again after that retry tier, when its key has rested.
        case resting(Operation, reason: String, RetryTier)
        case needsAttention(Operation, reason: String)
        /// Another attempt has taken over: what the store says now decides. With the requests under the key whose outcome this attempt
        /// does not know.
        case superseded(EarlierSends)
    }

    /// A request that is about to be sent.
    struct Call {
        let claim: Claim
        let action: BankAction
        let permit: CircuitBreaker.Permit
        let traceparent: String?
        /// The uptime before the claim: the lease counts from then on at the earliest.
        let started: Duration
    }

    /// - Parameters:
    ///   - claim: ours.
    ///   - action: what to ask; `nil` where the payment lacks the bank id for it.
    ///   - permit: of the circuit breaker.
    ///   - place: left as soon as the bank has answered.
    ///   - traceparent: of the command.
    ///   - messageID: of the delivery that it is made for.
    ///   - started: the uptime before the claim.
    func run(
        _ claim: Claim,
        _ action: BankAction?,
        _ permit: CircuitBreaker.Permit,
        _ place: BankPlace? = nil,
        traceparent: String?,
        messageID: String? = nil,
        started: Duration
    ) async throws(StoreError) -> Outcome {
        try await anew(for: messageID).attempt(claim, action, permit, place, traceparent: traceparent, started: started)
    }

    /// With a log of its own.
    func anew(for messageID: String?) -> BankAttempt {
        var copy = self
        copy.log = AttemptLog()
        copy.messageID = messageID
        return copy
    }

    private func attempt(
        _ claim: Claim,
        _ action: BankAction?,
        _ permit: CircuitBreaker.Permit,
        _ place: BankPlace?,
        traceparent: String?,
        started: Duration
    ) async throws(StoreError) -> Outcome {
        var sends = claim.operation.sends
        guard let action else { return try await giveUp(claim, reason: "payment_lacks_bank_id", sends) }
        if let reason = reasonToStop(claim.operation) { return try await giveUp(claim, reason: reason, sends) }
        let call = Call(claim: claim, action: action, permit: permit, traceparent: traceparent, started: started)
        for send in 1... {
            guard let answer = await ask(call, after: sends) else {
                return try await rest(claim, reason: "lease_used_up", sends)
            }
            let verdict = judge(action, answer, after: sends, of: claim.operation)
            guard case .ambiguous(let reason, let ambiguity) = verdict else {
                place?.leave()
                return try await end(call, verdict, answer, after: sends)
            }
            sends = ambiguity.counted(in: sends)
            guard mayResend(action, ambiguity), send < context.policy.bankSends, await pauseBeforeSending(again: send),
                context.breaker.honours(permit)
            else {
                let pause = ambiguity.mayBeExecuting ? context.limits.bankWorstCase : context.policy.bankPause
                return try await rest(claim, reason: reason, sends, pause, note: note(on: ambiguity, action, answer))
            }
        }
        return .superseded(sends)
    }

    /// Takes an operation up whose claim the store had forgotten, and this process has not: a request of its own may be
    /// executing still (docs/correctness.md#the-database-forgets), so its key rests.
    ///
    /// - Parameters:
    ///   - own: the requests under the key that this process knows of. The row of another operation has none of them.
    ///   - forgotten: the operation as this process had claimed it.
    ///   - messageID: of the delivery that it is made for.
    func remember(
        _ claim: Claim,
        _ own: EarlierSends,
        of forgotten: Operation,
        messageID: String
    ) async throws(StoreError) -> Outcome {
        var sends = claim.operation.sends
        if forgotten.id == claim.operation.id {
            sends.unanswered = max(sends.unanswered, own.unanswered)
            sends.failed = max(sends.failed, own.failed)
        } else {
            sends.unanswered += own.unanswered
            sends.failed += own.failed
        }
        let attempt = anew(for: messageID)
        let pause = context.limits.bankWorstCase
        let outcome = try await attempt.rest(claim, reason: "store_forgot_a_request", sends, pause)
        if case .resting(let operation, _, _) = outcome {
            context.observer.observe(.storeRegressed(attempt.identity(operation)))
        }
        return outcome
    }

    /// Asks by the key what became of an authorize whose card is gone. A replay is proof of success; anything else proves nothing.
    func inquire(
        _ claim: Claim,
        _ permit: CircuitBreaker.Permit,
        started: Duration
    ) async throws(StoreError) -> Outcome {
        let action = BankAction.inquiry(about: claim.operation.kind, of: claim.payment)
        let call = Call(
            claim: claim,
            action: action,
            permit: permit,
            traceparent: claim.operation.route.traceparent,
            started: started
        )
        return try await anew(for: nil).inquire(call)
    }

    private func inquire(_ call: Call) async throws(StoreError) -> Outcome {
        let claim = call.claim
        let sends = claim.operation.sends
        guard let answer = await ask(call, after: sends) else {
            return try await rest(claim, reason: "lease_used_up", sends)
        }
        let verdict = judge(call.action, answer, after: sends, of: claim.operation)
        switch verdict {
        case .succeeded, .needsAttention: return try await end(call, verdict, answer, after: sends)
        case .keyUnknown: return try await rest(claim, reason: "key_unknown_at_bank", sends)
        case .declined, .expired:
            note(verdict, answer, on: call.action)
            return try await rest(claim, reason: claim.operation.lastError ?? "inquiry_unanswered", sends)
        case .notSent, .notExecuted, .ambiguous:
            return try await rest(claim, reason: claim.operation.lastError ?? "inquiry_unanswered", sends)
        }
    }

    /// What a late answer decides.
    ///
    /// - Returns: whether it has completed its operation.
    func complete(_ entry: LateAnswers.Entry) async -> Bool {
        let attempt = anew(for: entry.messageID)
        let verdict = attempt.judge(entry.action, entry.answer, after: entry.sends, of: entry.claim.operation)
        switch verdict {
        case .succeeded, .expired: break
        // A decline after unanswered requests is confirmed by an inquiry first: the next attempt's.
        case .declined where entry.sends.unanswered == 0: break
        case .declined, .notSent, .notExecuted, .ambiguous, .keyUnknown, .needsAttention: return false
        }
        do throws(StoreError) {
            let answer = entry.answer.redacted(for: entry.action)
            let outcome = try await attempt.anew(for: entry.messageID).complete(entry.claim, verdict, answer)
            if case .superseded = outcome { return false }
            return true
        } catch {
            // The next attempt asks again under the same key.
            return false
        }
    }

    // MARK: Asking

    /// - Returns: `nil` where too little is left of the lease.
    func ask(_ call: Call, after sends: EarlierSends) async -> BankAnswer? {
        guard let timeout = context.limits.timeout(elapsed: context.time.uptime() - call.started) else { return nil }
        let request = BankRequest(
            action: call.action,
            idempotencyKey: call.claim.operation.bankKey,
            traceparent: call.traceparent,
            timeout: timeout,
            limit: timeout + context.limits.bankWorstCase,
            origin: call.action.isInquiry ? nil : RequestOrigin(call.claim.operation)
        )
        let answer = await context.bank.send(request) { [late = context.lateAnswers, messageID] answer in
            let claim = call.claim
            late.add(
                LateAnswers.Entry(
                    claim: claim,
                    action: call.action,
                    sends: sends,
                    answer: answer,
                    messageID: messageID
                )
            )
        }
        record(answer, to: call.action, under: call.permit)
        return answer
    }

    /// For the breaker. A call that we gave up ourselves says nothing about the bank.
    func record(_ answer: BankAnswer, to action: BankAction, under permit: CircuitBreaker.Permit) {
        guard !Task.isCancelled, !(action.isInquiry && answer.isUnreadableRefusal) else { return }
        context.breaker.record(answer, under: permit)
    }

    func judge(
        _ action: BankAction,
        _ answer: BankAnswer,
        after sends: EarlierSends,
        of operation: Operation
    ) -> Verdict {
        let verdict = Verdict.of(action, answer, sends: sends).redacted(for: action)
        context.observer.observe(.bankAnswered(action.kind, verdict, identity(operation)))
        // One that completes the operation is in its reply.
        if !verdict.isCompleting { note(verdict, answer, on: action) }
        return verdict
    }

    func note(_ verdict: Verdict, _ answer: BankAnswer, on action: BankAction) {
        log.note(verdict, answer, on: action, at: context.time.uptime())
    }

    /// An authorize that may have been executed rests first, so that the count is stored before it is sent again: a crash in between
    /// must not make two holds look like one (docs/correctness.md#lost-keys).
    private func mayResend(_ action: BankAction, _ ambiguity: Ambiguity) -> Bool {
        switch ambiguity {
        case .noAnswer, .gateway: false
        case .unreadable: action.kind != .authorize
        case .failed: true
        }
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
                for: context.policy.bankBackoff(attempt: send - 1, random: context.random.next())
            )
            return true
        } catch {
            return false
        }
    }

    /// For the log.
    func identity(_ operation: Operation) -> CommandIdentity { CommandIdentity(operation, messageID: messageID) }

    // MARK: Writing

    /// - Parameter tier: on which its command comes again.
    func write(
        _ result: OperationResult,
        _ claim: Claim,
        comingAgainOn tier: RetryTier? = nil
    ) async throws(StoreError) -> Bool {
        let attempts = log.attempts(at: context.time.uptime()).comingAgain(on: notifiesByOutbox ? nil : tier)
        let result = (notifiesByOutbox ? result.notifiedByOutbox(claim) : result).with(attempts)
        let outcome = try await context.patiently { () async throws(StoreError) in
            try await context.store.complete(result)
        }
        switch outcome {
        case .completed: break
        case .superseded: context.observer.observe(.superseded(identity(result.operation)))
        case .stray:
            context.observer.observe(.superseded(identity(result.operation)))
            context.observer.observe(.possibleOrphan(identity(result.operation), .suspected))
        }
        return outcome == .completed
    }
}

/// One command, from claim to outcome: the straight line of correctness.md's "order of things".
///
/// It ends with what is to become of the delivery; publishing and acknowledging are `CommandConsumer`'s. It may be re-entered at any
/// point after a crash: the claim finds out how far the last attempt got.
package struct CommandHandler: Sendable {
    private let store: any PaymentStore
    private let bank: any Bank
    private let time: any TimeSource
    private let random: any RandomSource
    private let observer: any ProcessorObserver
    private let limits: HandlerLimits
    private let policy: RetryPolicy

    package init(
        store: any PaymentStore,
        bank: any Bank,
        time: any TimeSource,
        random: any RandomSource,
        observer: any ProcessorObserver,
        limits: HandlerLimits,
        policy: RetryPolicy = RetryPolicy()
    ) {
        self.store = store
        self.bank = bank
        self.time = time
        self.random = random
        self.observer = observer
        self.limits = limits
        self.policy = policy
    }

    /// - Parameters:
    ///   - command: decoded and valid.
    ///   - waitingSince: since when it has been waiting for another command of its payment, if it has.
    package func handle(
        _ command: Command,
        waitingSince: Timestamp?
    ) async throws(CancellationError) -> Disposition {
        do throws(StoreError) {
            while true {
                let started = time.uptime()
                let outcome = try await claim(command)
                guard case .claimed(let claim) = outcome else {
                    return answer(outcome, to: command, waitingSince: waitingSince)
                }
                if let disposition = try await attempt(claim, of: command, started: started) { return disposition }
                // Superseded: what the store says now decides.
                if Task.isCancelled { throw StoreError(.unavailable, detail: "cancelled") }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            return .park(.seconds30, reason: "store_\(error.code.rawValue)", provisional: nil, headers: [:])
        }
    }

    private func claim(_ command: Command) async throws(StoreError) -> ClaimOutcome {
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(random.identifier(at: time.now())),
            token: ClaimToken(random.identifier(at: time.now())),
            lease: limits.lease
        )
        return try await patiently { () async throws(StoreError) in try await store.claim(request) }
    }

    // MARK: The bank

    /// `nil`: claim again.
    private func attempt(
        _ claim: Claim,
        of command: Command,
        started: Duration
    ) async throws(StoreError) -> Disposition? {
        guard let action = BankAction(command.parameters, for: claim.payment) else {
            return try await giveUp(claim, command, reason: "payment_lacks_bank_id", claim.operation.isAmbiguous)
        }
        if let reason = reasonToStop(claim.operation) {
            return try await giveUp(claim, command, reason: reason, claim.operation.isAmbiguous)
        }
        var isAmbiguous = claim.operation.isAmbiguous
        for send in 1... {
            guard let timeout = limits.timeout(elapsed: time.uptime() - started) else {
                return try await rest(claim, command, reason: "lease_used_up", isAmbiguous, .zero)
            }
            let answer = await bank.send(
                BankRequest(
                    action: action,
                    idempotencyKey: claim.operation.bankKey,
                    traceparent: command.route.traceparent,
                    timeout: timeout
                )
            )
            let verdict = Verdict.of(action, answer, sentBefore: isAmbiguous).redacted(for: command)
            observer.observe(.bankAnswered(command.kind, verdict))
            switch verdict {
            case .succeeded, .declined, .expired:
                return try await settle(claim, command, verdict, answer)
            case .needsAttention(let reason):
                return try await giveUp(claim, command, reason: reason, isAmbiguous)
            case .notSent(let reason):
                return try await rest(claim, command, reason: reason, isAmbiguous, .zero)
            case .ambiguous(let reason, isComplete: false):
                return try await rest(claim, command, reason: reason, true, limits.bankWorstCase)
            case .ambiguous(let reason, isComplete: true):
                isAmbiguous = true
                guard send < policy.bankSends, await pauseBeforeSending(again: send) else {
                    return try await rest(claim, command, reason: reason, true, policy.bankPause)
                }
            }
        }
        return nil
    }

    /// Why the bank is not asked again, before it is: the attempts before this one may have crashed, or could not be written.
    private func reasonToStop(_ operation: Operation) -> String? {
        if operation.attempts > policy.attempts { return "too_many_attempts" }
        // The database's time of this claim.
        let now = operation.leaseUntil.advanced(by: .zero - limits.lease)
        if operation.isAmbiguous, let sent = operation.firstSentAt, sent.duration(to: now) >= policy.resendLimit {
            return "bank_key_too_old"
        }
        return nil
    }

    private func pauseBeforeSending(again send: Int) async -> Bool {
        do throws(CancellationError) {
            try await time.sleep(for: policy.bankBackoff(attempt: send - 1, dice: random.next()))
            return true
        } catch {
            return false
        }
    }

    // MARK: How it ended

    private func settle(
        _ claim: Claim,
        _ command: Command,
        _ verdict: Verdict,
        _ answer: BankAnswer
    ) async throws(StoreError) -> Disposition? {
        guard case .response(var response) = answer else { return nil }
        if case .authorize(let parameters) = command.parameters { response = response.redacting(parameters.card) }
        let settlement: Settlement
        let label: Disposition.Label
        switch verdict {
        case .succeeded(let effect, let isPossibleOrphan):
            settlement = .succeeded(
                claim,
                effect,
                response,
                isPossibleOrphan: isPossibleOrphan,
                now: time.now()
            )
            label = .succeeded
            if isPossibleOrphan { observer.observe(.possibleOrphan(claim.operation)) }
        case .declined(let refusal):
            settlement = .declined(claim, refusal, response)
            label = .declined
        case .expired(let refusal):
            settlement = .declined(claim, refusal, response, authorizationExpired: true)
            label = .declined
        case .notSent, .ambiguous, .needsAttention:
            return nil
        }
        guard try await write(settlement), let body = settlement.operation.reply else { return nil }
        let reply = OutgoingReply.final(body, of: claim.operation, to: command, replayed: false)
        return .reply(reply, label, settles: settlement.operation)
    }

    /// Puts the operation to rest and its delivery on the ladder, or hands it to a person after too many attempts.
    private func rest(
        _ claim: Claim,
        _ command: Command,
        reason: String,
        _ isAmbiguous: Bool,
        _ rest: Duration
    ) async throws(StoreError) -> Disposition? {
        guard claim.operation.attempts < policy.attempts else {
            return try await giveUp(claim, command, reason: reason, isAmbiguous)
        }
        guard try await write(.resting(claim, reason: reason, isAmbiguous: isAmbiguous, rest: rest)) else { return nil }
        // The client hears once that nothing is known yet: when the operation is parked for the second time.
        let provisional = claim.operation.attempts == 2 ? unknown(claim.operation, claim.payment, command) : nil
        return .park(.seconds30, reason: reason, provisional: provisional, headers: [:])
    }

    private func giveUp(
        _ claim: Claim,
        _ command: Command,
        reason: String,
        _ isAmbiguous: Bool
    ) async throws(StoreError) -> Disposition? {
        guard try await write(.needsAttention(claim, reason: reason, isAmbiguous: isAmbiguous)) else { return nil }
        observer.observe(.needsAttention(claim.operation, reason: reason))
        return .deadLetter(
            code: OperationState.needsAttention.rawValue.lowercased(),
            message: reason,
            provisional: unknown(claim.operation, claim.payment, command)
        )
    }

    /// False where another attempt has taken over: what the store says now decides.
    private func write(_ settlement: Settlement) async throws(StoreError) -> Bool {
        let outcome = try await patiently { () async throws(StoreError) in try await store.settle(settlement) }
        if outcome == .superseded { observer.observe(.superseded(settlement.operation)) }
        return outcome == .settled
    }

    // MARK: Without the bank

    private func answer(_ outcome: ClaimOutcome, to command: Command, waitingSince: Timestamp?) -> Disposition {
        switch outcome {
        case .settled(let operation, let isReplay):
            let reply = OutgoingReply.final(operation.reply ?? [], of: operation, to: command, replayed: isReplay)
            return .reply(reply, isReplay ? .replayed : .rejected, settles: operation)
        case .rejected(let code, let payment):
            return reject(command, code, payment)
        case .waitForKey:
            return .park(.seconds5, reason: "key_in_progress", provisional: nil, headers: [:])
        case .waitForPayment(let payment):
            return wait(command, for: payment, since: waitingSince)
        case .needsAttention(let operation, let payment):
            return .reply(unknown(operation, payment, command), .unknown, settles: nil)
        case .claimed:
            preconditionFailure("a claim is attempted, not answered")
        }
    }

    private func wait(_ command: Command, for payment: Payment, since: Timestamp?) -> Disposition {
        let now = time.now()
        // Whatever a client writes into the header: a time to come would make the command wait for ever.
        let since = min(since ?? now, now)
        guard since.duration(to: now) < limits.busyAfter else { return reject(command, .paymentBusy, payment) }
        return .park(
            .seconds5,
            reason: "payment_in_progress",
            provisional: nil,
            headers: [HeaderName.waitingSince: .integer(since.microseconds)]
        )
    }

    private func reject(_ command: Command, _ code: RejectionCode, _ payment: Payment?) -> Disposition {
        let reply = Reply(
            operation: command.kind,
            outcome: .rejected,
            error: ReplyError(code),
            payment: payment,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
        return .reply(.unstored(reply, to: command), .rejected, settles: nil)
    }

    private func unknown(_ operation: Operation, _ payment: Payment?, _ command: Command) -> OutgoingReply {
        let reply = Reply(
            operation: command.kind,
            outcome: .unknown,
            error: ReplyError(.unknownOutcome),
            payment: payment,
            paymentID: command.paymentID,
            idempotencyKey: command.idempotencyKey
        )
        return .provisional(reply, of: operation, to: command)
    }

    // MARK: Patience

    /// Tries again while the store is away, for as long as a delivery may be held.
    private func patiently<Value>(
        _ work: () async throws(StoreError) -> Value
    ) async throws(StoreError) -> Value {
        let started = time.uptime()
        var attempt = 0
        while true {
            do throws(StoreError) {
                return try await work()
            } catch {
                observer.observe(.storeFailed(error))
                guard error.isRetriable, time.uptime() - started < policy.storePatience else { throw error }
                do throws(CancellationError) {
                    try await time.sleep(for: policy.backoff(attempt: attempt, dice: random.next()))
                } catch { throw StoreError(.unavailable, detail: "cancelled") }
                attempt += 1
            }
        }
    }
}

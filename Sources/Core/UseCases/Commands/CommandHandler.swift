/// One command, from claim to outcome: the straight line of docs/correctness.md#order-of-steps.
///
/// It ends with what is to become of the delivery; publishing and acknowledging are `CommandConsumer`'s. It may be re-entered at any
/// point after a crash: the claim finds out how far the last attempt got.
package struct CommandHandler: Sendable {
    private let context: ProcessorContext
    private let attempt: BankAttempt

    /// Its own key is held by somebody else's claim, or rests.
    static let keyInProgress = "key_in_progress"

    init(_ context: ProcessorContext) {
        self.context = context
        attempt = BankAttempt(context)
    }

    /// - Parameters:
    ///   - command: decoded and valid.
    ///   - retry: what its delivery tells about its travels.
    ///   - key: what its delivery knows of the claim that holds its key.
    ///   - arrived: the uptime when it was delivered.
    ///   - isWithdrawn: whether its queue has been left to another processor, where it comes again: then it is not begun here.
    /// - Returns: `nil` where it is to go back to the broker: the store is unavailable, and cannot keep its place.
    func handle(
        _ command: Command,
        _ retry: RetryState,
        _ key: inout KeyWatch,
        arrived: Duration,
        unless isWithdrawn: @Sendable () -> Bool
    ) async throws(CancellationError) -> Disposition? {
        // Before the claim: what a known outage refuses is no attempt (docs/correctness.md#bank-outage).
        var admitted = try await context.breaker.admit(since: nil)
        if admitted == nil {
            // Those that follow it must not overtake it, in another processor either, which may get them from now on.
            let isStoreAvailable = await context.keepsPlace(of: command)
            if Task.isCancelled { throw CancellationError() }
            if !isStoreAvailable { return nil }
            admitted = try await context.breaker.admit(since: arrived)
        }
        guard let permit = admitted else {
            return .deferred(.seconds30, reason: "bank_unavailable", provisional: nil, retry.deferredByOutage)
        }
        defer { context.breaker.end(permit) }
        let place = try await BankPlace(in: context.limiter)
        defer { place.leave() }
        if isWithdrawn() { throw CancellationError() }
        do throws(StoreError) {
            // What the attempt before has asked, should the store have forgotten its claim since.
            var before: (operation: Operation, sends: EarlierSends)?
            var proof: BankAttempt.Proof?
            while true {
                let started = context.time.uptime()
                let outcome = try await claim(command, retry, executed: proof?.fencingToken)
                if let held = outcome.heldKey, key.mayAsk(about: held, context.limits) {
                    proof = await attempt.proof(about: held, permit, messageID: command.messageID)
                    // In vain too: asking has taken its time, and the holder may have ended meanwhile.
                    continue
                }
                guard case .claimed(let claim) = outcome else {
                    return try await answer(outcome, to: command, retry)
                }
                let ended: BankAttempt.Outcome
                if let proof, claim.operation.fencingToken == proof.fencingToken + 1, claim.operation.state == .unknown
                {
                    place.leave()
                    ended = try await attempt.conclude(
                        claim,
                        proof,
                        permit,
                        messageID: command.messageID,
                        started: started
                    )
                } else if let before, before.sends.unanswered > 0,
                    claim.operation.isClaimedAnew(after: before.operation)
                {
                    ended = try await attempt.remember(
                        claim,
                        before.sends,
                        of: before.operation,
                        messageID: command.messageID
                    )
                } else {
                    ended = try await attempt.run(
                        claim,
                        BankAction(command.parameters, for: claim.payment),
                        permit,
                        place,
                        traceparent: command.route.traceparent,
                        messageID: command.messageID,
                        started: started
                    )
                }
                proof = nil
                if case .superseded(let sends) = ended { before = (claim.operation, sends) }
                if let disposition = try await disposition(ended, claim, of: command, retry) { return disposition }
                // Superseded: what the store says now decides.
                if Task.isCancelled { throw StoreError(.unavailable, detail: "cancelled") }
            }
        } catch {
            if Task.isCancelled { throw CancellationError() }
            return await disposition(error, of: command, retry)
        }
    }

    private func claim(
        _ command: Command,
        _ retry: RetryState,
        executed: Int64?
    ) async throws(StoreError) -> ClaimOutcome {
        let request = ClaimRequest(
            command: command,
            operationID: OperationID(context.random.identifier(at: context.time.now())),
            token: ClaimToken(context.random.identifier(at: context.time.now())),
            lease: context.limits.lease,
            hasWaited: retry.waitingSince != nil,
            expiry: retry.hasExpired ? .expired : .none,
            executed: executed
        )
        return try await context.patiently { () async throws(StoreError) in try await context.store.claim(request) }
    }

    private func disposition(
        _ outcome: BankAttempt.Outcome,
        _ claim: Claim,
        of command: Command,
        _ retry: RetryState
    ) async throws(StoreError) -> Disposition? {
        switch outcome {
        case .completed(let operation):
            let reply = OutgoingReply.final(operation.reply ?? [], of: operation, to: command, replayed: false)
            return .reply(reply, operation.state == .succeeded ? .succeeded : .declined, completes: operation)
        case .resting(let operation, let reason, let tier):
            // The client hears once that nothing is known yet: when the operation is deferred for the second time.
            let provisional = retry.deferrals == 1 ? unknown(operation, claim.payment, command) : nil
            return .deferred(tier, reason: reason, provisional: provisional, retry.deferredAgain)
        case .needsAttention(let operation, _):
            return try await deadLetter(operation, claim.payment, command)
        case .superseded:
            return nil
        }
    }

    /// The store did not do it. It is deferred where it keeps its place; where it cannot, because the store does nothing at all, it goes
    /// back. One that the store refuses again and again, and no other, needs manual review.
    private func disposition(
        _ error: StoreError,
        of command: Command,
        _ retry: RetryState
    ) async -> Disposition? {
        let reason = "store_\(error.code.rawValue)"
        guard await context.keepsPlace(of: command) else { return nil }
        if error.isRetriable { return .deferred(.seconds30, reason: reason, provisional: nil, retry.deferredByOutage) }
        guard retry.deferrals < context.policy.refusals else {
            return .deadLetter(code: reason, message: error.detail, provisional: nil)
        }
        let tier = context.policy.tier(attempts: retry.deferrals + 1, rest: .zero)
        return .deferred(tier, reason: reason, provisional: nil, retry.deferredAgain)
    }

    // MARK: Without the bank

    private func answer(
        _ outcome: ClaimOutcome,
        to command: Command,
        _ retry: RetryState
    ) async throws(StoreError) -> Disposition {
        switch outcome {
        case .completed(let operation, let isReplay):
            return .answering(command, with: operation, isReplay: isReplay)
        case .rejected(let code, let payment):
            return .rejecting(command, code, payment)
        case .waitForKey:
            return .deferred(.seconds5, reason: Self.keyInProgress, provisional: nil, retry)
        case .wait(let reason, let payment):
            return try await wait(command, reason, payment, retry)
        case .needsAttention(let operation, let payment):
            // Perhaps the delivery that could not publish its dead letter before it was cut off: one more is the same row.
            return try await deadLetter(operation, payment, command)
        case .claimed:
            preconditionFailure("a claim is attempted, not answered")
        }
    }

    private func wait(
        _ command: Command,
        _ reason: WaitReason,
        _ payment: Payment?,
        _ retry: RetryState
    ) async throws(StoreError) -> Disposition {
        let now = context.time.now()
        // Whatever a client writes into the header: a time to come would make the command wait without an end.
        let since = min(retry.waitingSince ?? retry.heldSince ?? now, now)
        let waited = since.duration(to: now)
        // Without a mark of those before it nothing tells whether they are lost: one more round does.
        let isUnproven = reason == .earlierCommand && retry.line == nil
        guard waited < context.limits.busyAfter + (isUnproven ? Self.proofLimit : .zero) else {
            try await context.patiently { () async throws(StoreError) in
                try await context.store.withdraw(command, behind: retry.line)
            }
            return .rejecting(command, .paymentBusy, payment)
        }
        return .deferred(
            context.policy.waitingTier(waited: waited),
            reason: reason.rawValue,
            provisional: nil,
            retry.waiting(since: since)
        )
    }

    /// Longer than a round by way of the retry tier for those that wait.
    private static let proofLimit = Duration.seconds(60)

    /// With what waits before the command, where it is deferred to wait for others: when it comes again, it can tell whether they do.
    func noting(lineOf disposition: Disposition, _ command: Command) async -> Disposition {
        guard case .deferred(let tier, let reason, let provisional, let retry) = disposition, retry.waitingSince != nil,
            // By a shorter way than theirs it would be back before them.
            tier == .seconds30 || context.limits.busyAfter < Self.proofLimit,
            // Not known: it will not tell that they are lost.
            let line = try? await context.store.line(before: command)
        else { return disposition }
        return .deferred(tier, reason: reason, provisional: provisional, retry.waiting(behind: line))
    }

    /// One dead letter stands for all messages of the key; each of them is owed the final reply.
    private func deadLetter(
        _ operation: Operation,
        _ payment: Payment?,
        _ command: Command
    ) async throws(StoreError) -> Disposition {
        try await context.patiently { () async throws(StoreError) in try await context.store.awaitReply(to: command) }
        return .deadLetter(
            code: DeadLetterFailure.needsAttention,
            message: operation.attentionReason,
            provisional: unknown(operation, payment, command),
            instance: operation.attentionInstance,
            ends: operation
        )
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
}

/// What one delivery knows of the claim that holds its key (docs/correctness.md#takeover).
struct KeyWatch {
    /// The fencing token of the holder about whose request the bank was asked.
    private var asked: Int64?
    /// Where a key is free before, the shortest retry tier would take longer.
    private static let moment = Duration.seconds(3)

    /// Whether something can be done so soon that no retry tier is worth it.
    var isNearlyFree: Bool { nextStepIn.map { $0 <= Self.moment } ?? false }

    /// Until something can be done: the bank can be asked, or the lease or the rest is over.
    private(set) var nextStepIn: Duration?

    /// - Returns: whether to ask the bank now: once for each delivery and holder, when what the holder has sent first can no longer be
    ///   executing, should it be gone; and not where the key is free in a moment anyway.
    mutating func mayAsk(about held: HeldKey, _ limits: HandlerLimits) -> Bool {
        nextStepIn = held.freeIn
        guard held.operation.state == .sent, held.payment != nil, asked != held.operation.fencingToken,
            held.freeIn > Self.moment
        else { return false }
        let age = limits.lease - held.freeIn
        guard age >= limits.bankWorstCase else {
            nextStepIn = min(held.freeIn, limits.bankWorstCase - age)
            return false
        }
        asked = held.operation.fencingToken
        return true
    }
}

extension BankAttempt {
    /// That the bank has executed what a holder sent, who may be gone.
    struct Proof {
        fileprivate let action: BankAction
        fileprivate let answer: BankAnswer
        let fencingToken: Int64
    }

    /// Asks by the key what became of a request of somebody else's claim. Only a replay proves anything: without one the claim stays what
    /// it is, and its lease is waited for.
    func proof(
        about held: HeldKey,
        _ permit: CircuitBreaker.Permit,
        messageID: String
    ) async -> Proof? {
        guard let payment = held.payment else { return nil }
        var operation = held.operation
        operation.countRequestOfLostHolder()
        let action = BankAction.inquiry(about: operation.kind, of: payment)
        // Nothing is written on a late answer: the claim is not ours.
        let answer = await context.bank.send(
            BankRequest(
                action: action,
                idempotencyKey: operation.bankKey,
                traceparent: operation.route.traceparent,
                timeout: context.limits.bankTimeout,
                limit: context.limits.bankTimeout + context.limits.bankWorstCase
            )
        )
        record(answer, to: action, under: permit)
        let verdict = anew(for: messageID).judge(action, answer, after: operation.sends, of: operation)
        if case .notExecuted(_, .throttled) = verdict { context.limiter.slowDown() }
        guard case .succeeded = verdict else { return nil }
        return Proof(action: action, answer: answer, fencingToken: operation.fencingToken)
    }

    /// Completes an operation that was taken over on a proof.
    func conclude(
        _ claim: Claim,
        _ proof: Proof,
        _ permit: CircuitBreaker.Permit,
        messageID: String,
        started: Duration
    ) async throws(StoreError) -> Outcome {
        context.observer.observe(.takenOverOnProof(CommandIdentity(claim.operation, messageID: messageID)))
        let sends = claim.operation.sends
        let verdict = Verdict.of(proof.action, proof.answer, sends: sends)
        let call = Call(
            claim: claim,
            action: proof.action,
            permit: permit,
            traceparent: claim.operation.route.traceparent,
            started: started
        )
        return try await anew(for: messageID).end(call, verdict, proof.answer, after: sends)
    }
}

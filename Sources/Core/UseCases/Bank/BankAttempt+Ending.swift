import Synchronization

extension BankAttempt {
    /// Any verdict but an ambiguous one.
    func end(
        _ call: Call,
        _ verdict: Verdict,
        _ answer: BankAnswer,
        after sends: EarlierSends
    ) async throws(StoreError) -> Outcome {
        let claim = call.claim
        switch verdict {
        case .declined where call.action.kind == .authorize && sends.unanswered > 0:
            return try await confirmDecline(call, verdict, answer, after: sends)
        case .succeeded, .declined, .expired:
            return try await complete(claim, verdict, answer.redacted(for: call.action))
        case .needsAttention(let reason):
            return try await giveUp(claim, reason: reason, sends)
        case .notSent(let reason):
            return try await rest(claim, reason: reason, sends)
        case .notExecuted(let reason, let door):
            return try await turnedAway(claim, reason: reason, door, after: sends)
        case .keyUnknown, .ambiguous:
            return .superseded(sends)
        }
    }

    /// The bank did not know the key, so it has decided anew; but an earlier request may have been stored since, or its refusal may be
    /// a lie (docs/correctness.md#decline-after-silence, docs/correctness.md#codes-that-lie). One question by the key
    /// tells: then the decline is final.
    private func confirmDecline(
        _ call: Call,
        _ decline: Verdict,
        _ answer: BankAnswer,
        after sends: EarlierSends
    ) async throws(StoreError) -> Outcome {
        let claim = call.claim
        let inquiry = Call(
            claim: claim,
            action: .inquiry(about: claim.operation.kind, of: claim.payment),
            permit: call.permit,
            traceparent: call.traceparent,
            started: call.started
        )
        if let word = await ask(inquiry, after: sends) {
            let verdict = judge(inquiry.action, word, after: sends, of: claim.operation)
            switch verdict {
            case .keyUnknown: return try await complete(claim, decline, answer.redacted(for: call.action))
            case .succeeded, .needsAttention: return try await end(inquiry, verdict, word, after: sends)
            case .declined, .expired, .notSent, .notExecuted, .ambiguous: break
            }
        }
        note(decline, answer, on: call.action)
        return try await rest(claim, reason: "decline_not_confirmed", sends, context.limits.bankWorstCase)
    }

    /// Not executed, and no attempt: what comes from before the bank's door says nothing about the command.
    private func turnedAway(
        _ claim: Claim,
        reason: String,
        _ door: BankDoor,
        after sends: EarlierSends
    ) async throws(StoreError) -> Outcome {
        switch door {
        case .throttled(let pause):
            context.limiter.slowDown()
            let rest = pause ?? RetryTier.seconds5.delay
            return try await self.rest(claim, reason: reason, sends, rest, countsAttempt: false)
        case .accessRefused:
            return try await rest(claim, reason: reason, sends, countsAttempt: false)
        case .busy:
            return try await rest(claim, reason: reason, sends, context.limits.bankWorstCase)
        }
    }

    func complete(_ claim: Claim, _ verdict: Verdict, _ answer: BankAnswer) async throws(StoreError) -> Outcome {
        guard case .response(let response) = answer else { return .superseded(claim.operation.sends) }
        let result: OperationResult
        var wasForgotten = false
        switch verdict {
        case .succeeded(let effect, let orphan, let isForgotten):
            wasForgotten = isForgotten
            result = .succeeded(
                claim,
                effect,
                response,
                orphan: orphan,
                isForgotten: isForgotten,
                now: context.time.now()
            )
        case .declined(let refusal, let orphan):
            result = .declined(claim, refusal, response, orphan: orphan)
        case .expired(let refusal):
            result = .declined(claim, refusal, response, authorizationExpired: true)
        case .notSent, .notExecuted, .ambiguous, .keyUnknown, .needsAttention:
            return .superseded(claim.operation.sends)
        }
        do throws(StoreError) {
            // It knows the outcome: asked again, the bank repeats it.
            guard try await write(result, claim) else { return .superseded(EarlierSends()) }
        } catch {
            // Asking again would bring the same id for a day.
            guard error.code == .bankIDTaken else { throw error }
            return try await giveUp(claim, reason: "bank_id_of_another_payment", claim.operation.sends)
        }
        if wasForgotten { context.observer.observe(.storeRegressed(identity(claim.operation))) }
        if let orphan = result.orphan {
            context.observer.observe(.possibleOrphan(identity(result.operation), orphan))
        }
        return .completed(result.operation)
    }

    /// Leaves it open.
    ///
    /// - Parameters:
    ///   - rest: how long its key must rest.
    ///   - countsAttempt: false where it is not the command's doing. While the bank is known to be unavailable it never is.
    func rest(
        _ claim: Claim,
        reason: String,
        _ sends: EarlierSends,
        _ rest: Duration = .zero,
        countsAttempt: Bool = true,
        note: String? = nil
    ) async throws(StoreError) -> Outcome {
        let isOutage = context.breaker.condition != .closed
        // An inquiry is no attempt, so there is none to take back.
        let isAttempt = claim.operation.state == .sent
        let result = OperationResult.resting(
            claim,
            reason: reason,
            sends: sends,
            rest: rest,
            countsAttempt: !isAttempt || countsAttempt && !isOutage,
            note: note
        )
        let operation = result.operation
        let tier =
            isOutage
            ? context.policy.tierDuringOutage(rest: rest)
            : context.policy.tier(attempts: operation.attempts, rest: rest)
        guard try await write(result, claim, comingAgainOn: tier) else { return .superseded(sends) }
        return .resting(operation, reason: reason, tier)
    }

    /// Ends it without asking: manual review.
    func giveUp(_ claim: Claim, reason: String, _ sends: EarlierSends) async throws(StoreError) -> Outcome {
        let result = OperationResult.needsAttention(claim, reason: reason, sends: sends)
        guard try await write(result, claim) else { return .superseded(sends) }
        context.observer.observe(.needsAttention(identity(result.operation), reason: reason))
        return .needsAttention(result.operation, reason: reason)
    }

    /// A success that cannot be read is kept for the operator, without the card.
    func note(on ambiguity: Ambiguity, _ action: BankAction, _ answer: BankAnswer) -> String? {
        guard ambiguity == .unreadable, case .response(let response) = answer.redacted(for: action) else { return nil }
        let text = String(decoding: response.encoded, as: UTF8.self)
        return
            "\(action.kind.rawValue) answered unreadably: \(CardDigits.masked(String(text.prefix(Self.longestNote))))"
    }

    /// In characters: a reply keeps as much of a body that is not JSON.
    private static let longestNote = 1_024
}

/// The requests of one attempt that did not complete its operation, until they are written with its end. A request that completes it at
/// once is never noted here.
final class AttemptLog: Sendable {
    private struct Entry {
        let verdict: BankCallVerdict
        let status: Int?
        let code: String?
        /// The uptime.
        let at: Duration
    }

    private let entries = Mutex<[Entry]>([])

    /// Longer ones than the bank's own are cut.
    private static let longestCode = 64

    func note(_ verdict: Verdict, _ answer: BankAnswer, on action: BankAction, at uptime: Duration) {
        var (status, code): (Int?, String?) = (nil, verdict.reason)
        if case .response(let response) = answer.redacted(for: action) {
            status = response.status
            if case .json(let body) = response.body, let error = body["error"]?.string {
                code = CardDigits.masked(
                    String(String.UnicodeScalarView(error.unicodeScalars.prefix(Self.longestCode)))
                )
            }
        }
        let entry = Entry(verdict: BankCallVerdict(verdict), status: status, code: code, at: uptime)
        entries.withLock { $0.append(entry) }
    }

    /// - Parameter uptime: now.
    func attempts(at uptime: Duration) -> [UnfinishedAttempt] {
        entries.withLock { entries in
            entries.map {
                UnfinishedAttempt(verdict: $0.verdict, status: $0.status, code: $0.code, age: uptime - $0.at)
            }
        }
    }
}

extension Verdict {
    /// In a word of ours; `nil` where the bank's own word says it.
    fileprivate var reason: String? {
        switch self {
        case .succeeded, .keyUnknown: nil
        case .declined(let refusal, _), .expired(let refusal): refusal.code
        case .notSent(let reason), .notExecuted(let reason, _), .ambiguous(let reason, _), .needsAttention(let reason):
            reason
        }
    }

    /// Whether it completes its operation, as far as nothing else comes in between.
    var isCompleting: Bool {
        switch self {
        case .succeeded, .declined, .expired: true
        case .notSent, .notExecuted, .ambiguous, .keyUnknown, .needsAttention: false
        }
    }
}

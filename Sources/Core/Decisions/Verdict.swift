/// What an answer of the bank means for the operation that asked.
package enum Verdict: Hashable, Sendable {
    /// The bank did it.
    ///
    /// - `orphan`: whether an earlier request of this authorize may have left a second hold.
    /// - `isForgotten`: it is a replay, although by our rows nothing was sent before: our store has lost what it knew.
    case succeeded(BankEffect, orphan: PossibleOrphan?, isForgotten: Bool)
    /// Proof that it did not, and will not. `orphan`: an earlier request may have left a hold, which is why.
    case declined(BankRefusal, orphan: PossibleOrphan?)
    /// Proof that it did not, because the authorization has expired.
    case expired(BankRefusal)
    /// The request never left: nothing is known that was not known before.
    case notSent(reason: String)
    /// The bank says that it has not executed this request, nor decided about it.
    case notExecuted(reason: String, BankDoor)
    /// It may have done it: ask again under the same key.
    case ambiguous(reason: String, Ambiguity)
    /// An inquiry found nothing under the key, which proves nothing.
    case keyUnknown
    /// No further request can tell: manual review.
    case needsAttention(reason: String)
}

/// How sure it is that an authorize has left a hold that nobody knows of.
package enum PossibleOrphan: String, Hashable, Sendable, CaseIterable {
    /// An earlier request got no complete answer, and the bank did not know its key when it was asked again: counted and alerted.
    case suspected
    /// Earlier requests got complete error answers only, which the bank gives before it executes anything: kept in the history.
    case unlikely
}

/// How much an answer leaves open.
package enum Ambiguity: Hashable, Sendable {
    /// No complete answer: the request may still be executing.
    case noAnswer
    /// An answer of something before the bank, whose own patience was over: the request may still be executing.
    case gateway
    /// A success that cannot be read: executed, most likely.
    case unreadable
    /// A complete error answer, which is given before anything is executed.
    case failed

    /// Whether the key must rest until the request can no longer be executing.
    var mayBeExecuting: Bool { self == .noAnswer || self == .gateway }

    /// The request with its outcome, among those before it.
    func counted(in sends: EarlierSends) -> EarlierSends {
        var sends = sends
        switch self {
        case .noAnswer, .gateway, .unreadable: sends.unanswered += 1
        case .failed: sends.failed += 1
        }
        return sends
    }
}

/// Why the bank has not even looked at a request (docs/bank.md#what-an-answer-means).
package enum BankDoor: Hashable, Sendable {
    /// 429. How long it wants to be left alone, where it says so: one hour at most.
    case throttled(Duration?)
    /// 401, 403, 407: it refuses us, not the command.
    case accessRefused(status: Int)
    /// 409, 423, 425: another request, perhaps an earlier one of ours, is in its way.
    case busy

    /// `nil` for an answer that comes from behind it.
    init?(_ response: BankResponse) {
        switch response.status {
        case 429: self = .throttled(response.retryAfter)
        case 401, 403, 407: self = .accessRefused(status: response.status)
        case 409, 423, 425: self = .busy
        default: return nil
        }
    }
}

/// The bank's refusal of an operation, in its own words.
package struct BankRefusal: Hashable, Sendable {
    package let code: String
    package let message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

extension Verdict {
    /// The same verdict without the card, should the bank have echoed it
    /// (docs/correctness.md#no-card-data-at-rest).
    func redacted(for action: BankAction) -> Verdict {
        guard case .authorize(let card, _) = action else { return self }
        switch self {
        case .declined(let refusal, let orphan): return .declined(refusal.redacting(card), orphan: orphan)
        case .expired(let refusal): return .expired(refusal.redacting(card))
        case .succeeded, .notSent, .notExecuted, .ambiguous, .keyUnknown, .needsAttention: return self
        }
    }
}

extension BankRefusal {
    fileprivate func redacting(_ card: CardDetails) -> BankRefusal {
        let echo = CardEcho(card)
        return BankRefusal(code: echo.removed(fromSentence: code), message: echo.removed(fromSentence: message))
    }
}

/// What an answer of the bank means for the operation that asked.
package enum Verdict: Hashable, Sendable {
    /// The bank did it. A possible orphan: an earlier, unanswered authorize may have left a second hold (trap B3).
    case succeeded(BankEffect, isPossibleOrphan: Bool)
    /// Proof that it did not, and will not.
    case declined(BankRefusal)
    /// Proof that it did not, because the authorization has expired.
    case expired(BankRefusal)
    /// The request never left: nothing is known that was not known before.
    case notSent(reason: String)
    /// It may have done it (trap P4): ask again under the same key. `isComplete`: there was a whole HTTP answer, so the
    /// request is no longer executing and may be sent again soon (contract.md §4).
    case ambiguous(reason: String, isComplete: Bool)
    /// No further request can tell: a person must look.
    case needsAttention(reason: String)
}

/// The bank's no, in its own words.
package struct BankRefusal: Hashable, Sendable {
    package let code: String
    package let message: String

    package init(code: String, message: String) {
        self.code = code
        self.message = message
    }
}

extension Verdict {
    /// The same verdict with a card number, should the bank have echoed it, reduced to BIN and last four (invariant I10).
    func redacted(for action: BankAction) -> Verdict {
        guard case .authorize(let card, _) = action else { return self }
        switch self {
        case .declined(let refusal): return .declined(refusal.redacting(card))
        case .expired(let refusal): return .expired(refusal.redacting(card))
        case .succeeded, .notSent, .ambiguous, .needsAttention: return self
        }
    }
}

extension BankRefusal {
    fileprivate func redacting(_ card: CardDetails) -> BankRefusal {
        BankRefusal(code: code, message: message.replacing(card.number, with: card.masked))
    }
}
